import socket
from collections import namedtuple

import pytest

from app.doctor import machine
from app.doctor.machine import check_disk, check_folder, check_port
from opportunity.config import load_settings


def test_folder_is_looked_at_and_left_as_it_is(tmp_path):
    assert check_folder(tmp_path).verdict == "OK"
    assert list(tmp_path.iterdir()) == []
    assert "made on the first start" in check_folder(tmp_path / "a" / "b").text
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "x").write_text("")
    assert check_folder(tmp_path / "x").verdict == "FAIL"
    assert check_folder(tmp_path / "x" / "y").verdict == "FAIL"


def test_folder_without_the_right_to_write(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    check = check_folder(tmp_path)
    assert (check.verdict, check.advice != "") == ("FAIL", True)
    assert "Permission denied" in check.text


@pytest.mark.parametrize(
    ("free", "verdict"), [(50 << 20, "FAIL"), (500 << 20, "WARN"), (50 << 30, "OK")]
)
def test_disk(tmp_path, monkeypatch, free, verdict):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage(0, 0, free))
    assert check_disk(tmp_path / "not" / "there").verdict == verdict


def test_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        check = check_port(load_settings({"port": port}))
        assert check.verdict == "WARN"
        assert f"{port} on 127.0.0.1 is not free" in check.text
    assert check_port(load_settings({"port": port})).verdict == "OK"
    assert check_port(load_settings({"port": 0})).verdict == "OK"
