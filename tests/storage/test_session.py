import json

import numpy as np
import pytest

from opportunity.storage.frames import Frame, FrameFile, pack, sealed
from opportunity.storage.session import (
    HASHED,
    HEADER,
    LOG,
    SessionError,
    SessionWriter,
    read_session,
    sessions_in,
)


def write(folder, n: int = 5) -> None:
    writer = SessionWriter(folder, {"source": "simulated"})
    writer.append(Frame("config", {"version": 1}))
    for i in range(n):
        writer.append(Frame("update", {"streams": 0}, {"x": np.full(3, float(i))}))
        writer.append(Frame("batch", {"time": i}))
        writer.flush(sync=i == 2)
    writer.close()


def test_session_is_read_as_it_was_written(tmp_path) -> None:
    write(tmp_path / "s")
    log = read_session(tmp_path / "s")
    assert log.header == {"source": "simulated", "format": 1}
    kinds = [frame.kind for frame in log]
    assert kinds == ["config"] + ["update", "batch"] * 5
    assert log.changed == {}
    assert log.torn == 0


def test_session_can_be_read_while_it_is_written(tmp_path) -> None:
    writer = SessionWriter(tmp_path / "s", {})
    for i in range(3):
        writer.append(Frame("batch", {"time": i}))
        writer.flush()
        assert [f.meta["time"] for f in read_session(tmp_path / "s")] == list(range(i + 1))
    writer.close()


def change(folder, n: int, **meta) -> None:
    """Change the frame of a number, with a checksum that fits."""
    stored = [s.frame for s in FrameFile(folder / LOG)]
    stored[n] = Frame(stored[n].kind, stored[n].meta | meta, stored[n].arrays)
    (folder / LOG).write_bytes(b"".join(b for f in stored for b in sealed(pack(f))))


@pytest.mark.parametrize(
    ("n", "found"),
    [(0, {"config": 0}), (1, {"bars": 0}), (5, {"bars": 2}), (6, {"outcomes": 3})],
)
def test_what_was_changed_is_named_with_the_first_batch_that_says_so(tmp_path, n, found) -> None:
    write(tmp_path / "s")
    change(tmp_path / "s", n, more=1)
    log = read_session(tmp_path / "s")
    assert len(list(log)) == 11
    assert log.changed == found


def test_changed_header_shows_in_every_hash(tmp_path) -> None:
    write(tmp_path / "s")
    header = json.loads((tmp_path / "s" / HEADER).read_text())
    (tmp_path / "s" / HEADER).write_text(json.dumps(header | {"source": "binance"}))
    log = read_session(tmp_path / "s")
    list(log)
    assert log.changed == dict.fromkeys(HASHED.values(), 0)


def test_folder_that_exists_is_never_written_into(tmp_path) -> None:
    write(tmp_path / "s")
    with pytest.raises(FileExistsError):
        SessionWriter(tmp_path / "s", {})


@pytest.mark.parametrize(
    ("header", "text"),
    [(None, "must be a folder with header.json"), ("{", "must be JSON"), ("[]", "format of"),
     ('{"format": 7}', "format of s must be 1, was 7")],
)  # fmt: skip
def test_what_is_no_session_is_named(tmp_path, header, text) -> None:
    (tmp_path / "s").mkdir()
    if header is not None:
        (tmp_path / "s" / HEADER).write_text(header)
    with pytest.raises(SessionError, match=text):
        read_session(tmp_path / "s")


def test_session_without_a_log_is_named(tmp_path) -> None:
    write(tmp_path / "s")
    (tmp_path / "s" / LOG).unlink()
    with pytest.raises(SessionError, match=r"must hold log\.frames"):
        read_session(tmp_path / "s")


def test_sessions_are_listed_by_name(tmp_path) -> None:
    assert sessions_in(tmp_path / "none") == []
    for name in ("b", "a"):
        write(tmp_path / name)
    (tmp_path / "empty").mkdir()
    assert [p.name for p in sessions_in(tmp_path)] == ["a", "b"]
