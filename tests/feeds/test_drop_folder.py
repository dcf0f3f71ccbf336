import json
import os

import pytest

from opportunity.feeds.drop_folder import DropFolder
from opportunity.feeds.polling import MOST_BYTES, PollError


def drop(folder, name, *titles):
    (folder / name).write_text(json.dumps([{"title": t} for t in titles]))


def titles(folder):
    return [e.title for e in folder.entries()]


def test_files_are_read_once_and_again_when_they_change(tmp_path):
    folder = DropFolder(tmp_path)
    assert titles(folder) == []
    drop(tmp_path, "b.json", "second")
    drop(tmp_path, "a.json", "first")
    (tmp_path / "c.xml").write_text(
        "<rss><channel><item><title>third</title></item></channel></rss>"
    )
    assert titles(folder) == ["first", "second", "third"]
    assert titles(folder) == []
    drop(tmp_path, "a.json", "first", "new")
    os.utime(tmp_path / "a.json", ns=(1, 1))
    assert titles(folder) == ["first", "new"]
    (tmp_path / "b.json").unlink()
    assert titles(folder) == []


def test_other_files_and_broken_ones_do_not_hurt(tmp_path):
    drop(tmp_path, "note.txt", "no")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    drop(tmp_path, "z.json", "good")
    folder = DropFolder(tmp_path)
    assert titles(folder) == ["good"]
    assert titles(folder) == []


def test_missing_folder_is_a_failed_poll_and_may_come(tmp_path):
    folder = DropFolder(tmp_path / "later")
    with pytest.raises(PollError, match="folder cannot be read"):
        folder.entries()
    (tmp_path / "later").mkdir()
    drop(tmp_path / "later", "a.json", "first")
    assert titles(folder) == ["first"]
