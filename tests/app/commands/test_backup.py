import json

import pytest

from app.cli import main
from opportunity.storage.backup import check_backup
from opportunity.storage.database import HEAD, open_database


@pytest.fixture
def home(tmp_path, capsys):
    open_database(f"sqlite:///{tmp_path / 'opportunity.sqlite'}").dispose()
    capsys.readouterr()
    return tmp_path


def test_copy_is_made_in_the_data_folder(home, capsys) -> None:
    assert main(["backup", "--home", str(home)]) == 0
    (made,) = (home / "backups").iterdir()
    out, err = capsys.readouterr()
    assert out.startswith(f"{made}: 0.")
    assert f"schema {HEAD}" in out
    assert err == ""
    assert check_backup(made) == HEAD


def test_json_is_one_document_and_the_file_is_ours_to_name(home, tmp_path, capsys) -> None:
    to = tmp_path / "elsewhere" / "one.sqlite"
    assert main(["backup", "--home", str(home), "--to", str(to), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["file"] == str(to)
    assert said["bytes"] == to.stat().st_size
    assert said["schema"] == HEAD


def test_file_that_is_there_is_bad_usage(home, tmp_path, capsys) -> None:
    (tmp_path / "one").touch()
    with pytest.raises(SystemExit) as ended:
        main(["backup", "--home", str(home), "--to", str(tmp_path / "one")])
    assert ended.value.code == 2
    assert "must not be there yet" in capsys.readouterr().err


def test_without_a_database_it_fails_and_makes_none(tmp_path, capsys) -> None:
    assert main(["backup", "--home", str(tmp_path / "empty")]) == 1
    assert "must be there to be copied" in capsys.readouterr().err
    assert not (tmp_path / "empty" / "opportunity.sqlite").exists()


def test_no_password_is_shown(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:geheim@127.0.0.1:1/x?connect_timeout=2")
    assert main(["backup", "--home", str(tmp_path)]) == 1
    assert "geheim" not in "".join(capsys.readouterr())
