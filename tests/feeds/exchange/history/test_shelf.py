import numpy as np
import pytest
from paged import DAY, HOUR, MINUTE, NOW, values_at

from opportunity.errors import BarError
from opportunity.feeds.exchange.history.asked import asked_path
from opportunity.feeds.exchange.history.shelf import NEAR_BARS, Shelf
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import open_ms

START = open_ms(NOW, "1m") - 10 * DAY
FAR = NEAR_BARS + 1


def bars(*minutes, factor=1.0):
    times = START + MINUTE * np.array(minutes, np.int64)
    return Bars(times, values_at(times, MINUTE).reshape(-1, 5) * factor, "1m")


def at(minute):
    return START + minute * MINUTE


@pytest.fixture
def shelf(tmp_path):
    return Shelf(BarStore(tmp_path, "binance"), "BTC/USDT", "1m")


def test_empty_shelf_knows_nothing(shelf):
    assert shelf.unknown(at(0), at(9)) == ((at(0), at(9)),)
    assert shelf.doubtful(at(0), at(9)) == ()
    assert len(shelf.read(None, None)) == shelf.held().n_bars == 0


def test_what_was_asked_for_is_not_unknown_and_its_holes_are_in_doubt_once(shelf):
    assert shelf.keep(bars(0, 1, 5), (at(0), at(10)), NOW) == 3
    assert shelf.unknown(at(0), at(10)) == ()
    assert shelf.unknown(at(-2), at(12)) == ((at(-2), at(12)),)  # near: asked for in one go
    assert shelf.gaps(at(0), at(10)) == ((at(2), at(5)), (at(6), at(10)))
    assert shelf.doubtful(at(0), at(10)) == ((at(2), at(10)),)
    shelf.keep(bars(), (at(2), at(10)), NOW, again=True)
    assert shelf.doubtful(at(0), at(10)) == ()
    assert shelf.unknown(at(0), at(10)) == ()
    assert shelf.gaps(at(0), at(10)) == ((at(2), at(5)), (at(6), at(10)))


def test_spans_far_from_each_other_are_asked_for_apart(shelf):
    shelf.keep(bars(*range(FAR)), (at(0), at(FAR)), NOW)
    assert shelf.unknown(at(-9), at(FAR + 9)) == ((at(-9), at(0)), (at(FAR), at(FAR + 9)))


def test_stored_bars_are_known_without_a_note(shelf):
    shelf.store.write(bars(3, 4, 5).label(symbol="BTC/USDT"))
    assert shelf.unknown(at(3), at(6)) == ()
    assert shelf.unknown(at(0), at(6)) == ((at(0), at(3)),)


def test_a_young_end_is_asked_for_again_but_an_old_one_is_settled(shelf):
    now = at(100)
    shelf.keep(bars(0), (at(0), at(90)), now)
    assert shelf.unknown(at(0), at(90)) == ((at(40), at(90)),)
    shelf.keep(bars(), (at(40), at(90)), now + 2 * HOUR)
    assert shelf.unknown(at(0), at(90)) == ()


def test_only_what_changed_is_written(shelf):
    shelf.keep(bars(0, 1, 2), (at(0), at(3)), NOW)
    before = (shelf.store.folder / "BTC-USDT" / "1m.parquet").stat().st_mtime_ns
    assert shelf.keep(bars(0, 1, 2), (at(0), at(3)), NOW) == 0
    assert (shelf.store.folder / "BTC-USDT" / "1m.parquet").stat().st_mtime_ns == before
    assert shelf.keep(bars(2, 3, factor=2.0), (at(2), at(4)), NOW) == 2
    assert shelf.read(at(2), at(3)).close[0] == bars(2, factor=2.0).close[0]


def test_deleted_bars_are_asked_for_again(shelf):
    shelf.keep(bars(0, 1, 2), (at(0), at(10)), NOW)
    (shelf.store.folder / "BTC-USDT" / "1m.parquet").unlink()
    assert shelf.unknown(at(0), at(10)) == ((at(0), at(10)),)


def test_damaged_note_costs_a_question_only(shelf):
    shelf.keep(bars(0, 1, 2), (at(0), at(10)), NOW)
    asked_path(shelf.store, "BTC/USDT", "1m").write_bytes(b"{nonsense")
    assert shelf.unknown(at(0), at(10)) == ((at(3), at(10)),)


def test_damaged_bars_are_told(shelf):
    shelf.keep(bars(0, 1, 2), (at(0), at(10)), NOW)
    (shelf.store.folder / "BTC-USDT" / "1m.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(BarError):
        shelf.unknown(at(0), at(10))


def test_another_market_is_seen(shelf):
    shelf.keep(bars(0, 1, 2), (at(0), at(3)), NOW)
    assert shelf.agrees(bars(1, 2, 3))
    assert shelf.agrees(bars(2, factor=1.00001))
    assert not shelf.agrees(bars(1, 2, factor=1.01))
    assert not shelf.agrees(bars(7))
    assert not shelf.agrees(bars())
