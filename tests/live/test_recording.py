import errno
import threading

import numpy as np
import pytest

from opportunity.live import recording as module
from opportunity.live.recording import Recorder
from opportunity.live.streams import Streams
from opportunity.market.observations import Funding
from opportunity.storage.frames import Frame
from opportunity.storage.session import SessionWriter, read_session

RECORDS = [Funding(i, i, "x", "A/USDT", 1e-4) for i in range(3)]


def streams() -> Streams:
    return Streams(("A/USDT", "B/USDT"), ("1h", "4h"), "1h", "simulated")


def test_frames_and_records_are_written_in_order(tmp_path) -> None:
    recorder = Recorder(tmp_path / "s", {"a": 1})
    for i in range(250):
        recorder.put(Frame("batch", {"n": i}))
        if i == 100:
            recorder.put(RECORDS)
    recorder.close()
    frames = list(read_session(tmp_path / "s"))
    assert [f.meta["n"] for f in frames if f.kind == "batch"] == list(range(250))
    assert frames[101].kind == "records"
    assert recorder.error == ""


def test_streams_tell_what_they_are_given(tmp_path) -> None:
    recorder = Recorder(tmp_path / "s", {})
    one, other = streams(), streams()
    one.tap = other.tap = recorder.heard
    values = np.full((2, 5), 2.0)
    for each in (one, other):
        each.begin(0)
        each.update(np.arange(2), np.full(2, 3_600_000), values)
    one.flush(np.array([7_200_000, 0]))
    one.adopt(np.arange(2), other)
    recorder.close()
    one.close()
    other.close()
    frames = list(read_session(tmp_path / "s"))
    assert [(f.kind, f.meta["streams"]) for f in frames] == [
        ("stream", 0), ("begin", 0), ("update", 0), ("stream", 1), ("begin", 1), ("update", 1),
        ("flush", 0), ("adopt", 0),
    ]  # fmt: skip
    assert frames[0].meta["symbols"] == ["A/USDT", "B/USDT"]
    assert frames[-1].meta == {"streams": 0, "other": 1, "version": 0}
    np.testing.assert_array_equal(frames[2].arrays["values"], values)
    assert "counts" not in frames[2].arrays


def test_full_disk_ends_the_log_and_says_so(tmp_path, monkeypatch) -> None:
    recorder = Recorder(tmp_path / "s", {})
    recorder.put(Frame("batch", {"n": 0}))

    def full(self, frame):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SessionWriter, "append", full)
    for i in range(1, 50):
        recorder.put(Frame("batch", {"n": i}))
    recorder.close()
    assert "No space left" in recorder.error
    recorder.put(Frame("batch", {"n": 99}))  # nobody waits for it
    assert [f.meta["n"] for f in read_session(tmp_path / "s")][:1] in ([0], [])


def test_disk_that_hangs_holds_nobody_and_ends_the_log(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 20)
    release, written = threading.Event(), []
    append = SessionWriter.append

    def slow(self, frame):
        release.wait(60)
        written.append(frame)
        append(self, frame)

    monkeypatch.setattr(SessionWriter, "append", slow)
    recorder = Recorder(tmp_path / "s", {})
    for i in range(1_000):
        recorder.put(Frame("batch", {"n": i}, {"x": np.zeros(1_000)}))
    assert written == []  # nobody waited for it
    assert "too slow" in recorder.error
    release.set()
    recorder.close()


def test_what_cannot_be_written_ends_the_log(tmp_path) -> None:
    recorder = Recorder(tmp_path / "s", {})
    recorder.put(Frame("batch", {"n": {1, 2}}))
    recorder.close()
    assert "must be plain" in recorder.error


def test_folder_that_is_there_is_an_error(tmp_path) -> None:
    with pytest.raises(FileExistsError):
        Recorder(tmp_path, {})
