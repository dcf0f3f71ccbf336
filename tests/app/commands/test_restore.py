import io
import json

import pytest

from app.cli import main
from opportunity.storage.database import open_database
from opportunity.storage.repositories import SettingRepository


def write(home, **values) -> None:
    engine = open_database(f"sqlite:///{home / 'opportunity.sqlite'}")
    SettingRepository(engine, lambda: 1).write(**values)
    engine.dispose()


def read(home) -> dict:
    engine = open_database(f"sqlite:///{home / 'opportunity.sqlite'}")
    found = SettingRepository(engine, lambda: 1).read()
    engine.dispose()
    return found


@pytest.fixture
def home(tmp_path, capsys):
    """A data folder whose database has changed since its copy `copy`."""
    write(tmp_path, a=1)
    assert main(["backup", "--home", str(tmp_path), "--to", str(tmp_path / "copy")]) == 0
    write(tmp_path, a=2)
    capsys.readouterr()
    return tmp_path


def test_copy_is_put_back_and_the_old_one_named(home, capsys) -> None:
    assert main(["restore", str(home / "copy"), "--home", str(home), "--yes"]) == 0
    out = capsys.readouterr().out
    assert "the old one is kept: " in out
    assert read(home) == {"a": 1}
    old = out.split("the old one is kept: ")[1].strip()
    assert main(["restore", old, "--home", str(home), "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"]
    assert read(home) == {"a": 2}


class Terminal(io.StringIO):
    """A person at a keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code", "left"),
    [(Terminal("y\n"), 0, 1), (Terminal("Yes\n"), 0, 1), (Terminal("\n"), 2, 2),
     (Terminal("no\n"), 2, 2), (Terminal(""), 2, 2), (io.StringIO("y\n"), 2, 2)],
    ids=["y", "yes", "nothing", "no", "end", "no terminal"],
)
def test_it_asks(home, capsys, monkeypatch, typed, code, left) -> None:
    monkeypatch.setattr("sys.stdin", typed)
    assert main(["restore", str(home / "copy"), "--home", str(home)]) == code
    asked = f"replace {home / 'opportunity.sqlite'} by"
    assert (asked in capsys.readouterr().err) is isinstance(typed, Terminal)
    assert read(home) == {"a": left}


def test_what_is_no_copy_changes_nothing(home, capsys) -> None:
    (home / "nonsense").write_text("<html>")
    assert main(["restore", str(home / "nonsense"), "--home", str(home), "--yes"]) == 1
    assert "backup must be" in capsys.readouterr().err
    assert read(home) == {"a": 2}


def test_a_database_that_is_open_is_refused(home, capsys) -> None:
    engine = open_database(f"sqlite:///{home / 'opportunity.sqlite'}")
    settings = SettingRepository(engine, lambda: 1)
    settings.write(b=3)
    assert main(["restore", str(home / "copy"), "--home", str(home), "--yes"]) == 1
    assert "must not be open" in capsys.readouterr().err
    settings.write(c=4)
    engine.dispose()
    assert read(home) == {"a": 2, "b": 3, "c": 4}


def test_no_such_file_is_bad_usage(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["restore", "/no/such/file"])
    assert ended.value.code == 2
