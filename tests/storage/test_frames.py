import numpy as np
import pytest

from opportunity.storage.frames import Frame, FrameError, FrameFile, digest, pack, sealed, unpack

NESTED = np.dtype([("a", "i8"), ("b", "f8", (2,)), ("c", [("d", "?"), ("e", "f4")])], align=True)


def write(path, *frames: Frame) -> list[int]:
    """Write frames; return where each begins."""
    places = []
    with path.open("wb") as file:
        for frame in frames:
            places.append(file.tell())
            file.writelines(sealed(pack(frame)))
    return places


def frames(n: int) -> list[Frame]:
    return [Frame("update", {"n": i}, {"x": np.arange(i, dtype=np.float64)}) for i in range(n)]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3), np.array(3), np.empty((0, 5)), np.array("4h"),
        np.array([True, False]), np.array([np.nan, np.inf]), np.zeros(3, NESTED),
        np.arange(12).reshape(3, 4)[:, ::2], np.zeros(100_000),
    ],
    ids=str,
)  # fmt: skip
def test_array_of_any_kind_comes_back(array) -> None:
    frame = unpack(b"".join(pack(Frame("k", {}, {"x": array}))))
    back = frame.arrays["x"]
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)


def test_plain_values_come_back(tmp_path) -> None:
    meta = {"a": [1, 0.1, None, "x"], "b": {"c": True}, "n": np.float64(0.3), "i": np.int64(7)}
    write(tmp_path / "f", Frame("k", meta))
    (stored,) = FrameFile(tmp_path / "f")
    assert stored.frame.meta == meta
    assert stored.digest == digest(pack(Frame("k", meta)))


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError, match="must be plain, was set"):
        pack(Frame("k", {"a": {1}}))


def test_every_torn_tail_is_dropped(tmp_path) -> None:
    path = tmp_path / "f"
    *_, last = write(path, *frames(4))
    data = path.read_bytes()
    for end in range(last, len(data)):
        path.write_bytes(data[:end])
        read = FrameFile(path)
        assert [s.frame.meta["n"] for s in read] == [0, 1, 2]
        assert read.torn == end - last


def test_noise_after_the_last_frame_is_dropped(tmp_path) -> None:
    path = tmp_path / "f"
    write(path, *frames(3))
    path.write_bytes(path.read_bytes() + b"\0" * 4096)
    read = FrameFile(path)
    assert len(list(read)) == 3
    assert read.torn == 4096


@pytest.mark.parametrize("inside", [0, 5, 9, 14])
def test_damage_in_the_middle_is_an_error(tmp_path, inside) -> None:
    path = tmp_path / "f"
    places = write(path, *frames(4))
    data = bytearray(path.read_bytes())
    data[places[1] + inside] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(FrameError, match=f"damaged at byte {places[1]} of {len(data)}"):
        list(FrameFile(path))
