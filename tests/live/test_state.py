import numpy as np
import pytest

from opportunity.live.state import StateKeeper, duplicate, load_state, save_state
from opportunity.live.streams import Streams


def bare(symbol: str = "BTC/USDT") -> Streams:
    return Streams((symbol,), ("1h",), "1h", "simulated")


def fed(streams: Streams) -> Streams:
    values = np.full((1, 3, 5), 100.0)
    streams.warm("1h", 3_600_000 * np.arange(1, 4)[None], values)
    return streams


@pytest.fixture
def streams() -> Streams:
    return bare()


def fresh(streams: Streams) -> bool:
    return streams.time == 0 and not streams.save()["context"]["n"].any()


def test_saved_state_is_read_again(streams, tmp_path) -> None:
    path = tmp_path / "state" / "simulated-7.npz"
    save_state(path, fed(streams).save())
    other = bare()
    assert load_state(path, other)
    assert other.time == streams.time == 4 * 3_600_000
    np.testing.assert_array_equal(other.save()["context"], streams.save()["context"])
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_duplicate_is_equal_to_the_byte_and_apart(streams) -> None:
    for name, array in fed(streams).save().items():
        twin = duplicate(array)
        assert (twin.dtype, twin.shape) == (array.dtype, array.shape), name
        assert twin.tobytes() == array.tobytes(), name
        assert not np.shares_memory(twin, array)


def test_without_a_path_nothing_is_kept(streams) -> None:
    save_state(None, streams.save())
    assert not load_state(None, streams)


def test_missing_file_is_a_fresh_start(streams, tmp_path) -> None:
    assert not load_state(tmp_path / "none.npz", streams)


def test_state_of_other_symbols_is_left_where_it_is(streams, tmp_path) -> None:
    path = tmp_path / "s.npz"
    save_state(path, fed(bare("ETH/USDT")).save())
    before = path.read_bytes()
    assert not load_state(path, streams)
    assert fresh(streams)
    assert path.read_bytes() == before


@pytest.mark.parametrize("n_bytes", [0, 1, 10, 200, 4_000])
def test_state_cut_short_is_a_fresh_start(streams, tmp_path, n_bytes) -> None:
    path = tmp_path / "s.npz"
    save_state(path, fed(bare()).save())
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert not load_state(path, streams)
    assert fresh(streams)


def test_damaged_state_is_a_fresh_start(streams, tmp_path) -> None:
    path = tmp_path / "s.npz"
    save_state(path, fed(bare()).save())
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 0xFF
    path.write_bytes(body)
    assert not load_state(path, streams)
    assert fresh(streams)


@pytest.mark.parametrize("missing", ["state_sar", "partial", "badges", "badge_things", "kernels"])
def test_state_of_another_layout_is_a_fresh_start(streams, tmp_path, missing) -> None:
    path = tmp_path / "s.npz"
    arrays = fed(bare()).save()
    del arrays[missing]
    save_state(path, arrays)
    assert not load_state(path, streams)
    assert fresh(streams)


def test_pickles_are_never_read(streams, tmp_path) -> None:
    path = tmp_path / "s.npz"
    np.savez(path, kernels=np.array([{"a": 1}], dtype=object))
    assert not load_state(path, streams)
    assert fresh(streams)
    with pytest.raises(ValueError, match="allow_pickle"):
        save_state(path, {"kernels": np.array([{"a": 1}], dtype=object)})


def test_file_is_replaced_whole_or_not_at_all(streams, tmp_path, monkeypatch) -> None:
    path = tmp_path / "s.npz"
    save_state(path, streams.save())
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save_state(path, streams.save())
    assert path.read_bytes() == before


async def test_keeper_writes_copies_and_nothing_while_there_are_none(tmp_path, monkeypatch) -> None:
    given: list = [None, {"x": np.arange(3)}]
    keeper = StateKeeper(tmp_path / "s.npz", lambda: given.pop(0))
    await keeper.save()
    assert not (tmp_path / "s.npz").exists()
    await keeper.save()
    with np.load(tmp_path / "s.npz") as stored:
        assert stored["x"].tolist() == [0, 1, 2]
    await keeper.drop()
    assert not (tmp_path / "s.npz").exists()
    await keeper.drop()  # it is gone already


async def test_keeper_without_a_path_asks_for_nothing() -> None:
    keeper = StateKeeper(None, lambda: pytest.fail("nothing is kept"))
    await keeper.save()
    await keeper.drop()
