from datetime import UTC, datetime

import numpy as np
import pytest
from walks import FIRST, LAST, START, walk_bars

from app.bar_source import FOLDER, SimulatedBars, StoredBars, source_of, stored
from opportunity.config import Settings
from opportunity.errors import BarError, CoverageError
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.observations import FearGreed, Funding, Headline
from opportunity.market.store import BarStore

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def store(tmp_path):
    store = BarStore(tmp_path / FOLDER, "binance")
    store.write(walk_bars())
    return store


def test_stored_bars_are_those_that_close_by_the_end(store):
    bars = StoredBars(store).load("BTC/USDT", "1h", START, START + DAY)
    assert len(bars) == 24
    assert (bars.time[0], bars.close_time[-1]) == (START, START + DAY)
    assert bars.source == "binance"
    assert len(StoredBars(store).load("BTC/USDT", "4h", START, START + DAY)) == 6
    whole = StoredBars(store).load("BTC/USDT", "1h", 0, LAST + 9 * DAY)
    assert (whole.time[0], whole.close_time[-1]) == (FIRST, LAST)


def test_what_is_not_stored_is_told_with_what_is(store):
    with pytest.raises(CoverageError, match="Did you mean 'BTC/USDT'"):
        StoredBars(store).load("BTX/USDT", "1h", START, LAST)
    with pytest.raises(CoverageError, match="there are binance"):
        stored(store.folder.parent, "binnace")
    with pytest.raises(CoverageError, match="fetch"):
        stored(store.folder.parent / "none", "binance")


def test_records_beside_stored_bars_are_read(store):
    assert StoredBars(store).records([walk_bars(), walk_bars(end=FIRST)]) == []


def test_nobody_sees_the_future_of_the_simulated_market():
    source = SimulatedBars(SimulatedMarket(2, 7), lambda: START + 90 * 60_000)
    bars = source.load("BTC/USDT", "1h", START - 3 * HOUR, START + DAY)
    assert bars.time.tolist() == [START - 3 * HOUR, START - 2 * HOUR, START - HOUR, START]
    assert bars.source == "simulated"
    assert len(source.load("BTC/USDT", "1h", START + DAY, START + 2 * DAY)) == 0
    early = source.load("BTC/USDT", "1d", 0, 1_578_000_000_000)
    assert datetime.fromtimestamp(early.time[0] / 1000, UTC).year == 2019
    with pytest.raises(ValueError, match="symbol must be a known name"):
        source.load("NOPE/USDT", "1h", START, START + HOUR)


def test_simulated_bars_are_those_of_the_feed():
    feed = SimulatedFeed(2, seed=7, start_ms=START)
    mine = SimulatedBars(feed.market, lambda: START).load("ETH/USDT", "1h", START - DAY, START)
    grid = feed.market.grid("1h", 24, START)
    theirs = feed.market.bars(np.array([feed.market.row("ETH/USDT")]), "1h", grid)
    assert np.array_equal(mine.values, theirs[0])


def test_the_simulated_market_tells_what_was_known_of_these_symbols():
    source = SimulatedBars(SimulatedMarket(2, 7), lambda: START)
    bars = source.load("BTC/USDT", "1h", START - 2 * DAY, START)
    records = source.records([bars])
    assert {Headline, Funding, FearGreed} <= {type(r) for r in records}
    assert {r.symbol for r in records if isinstance(r, Funding)} == {"BTC/USDT"}
    assert max(r.available_at for r in records) < START
    assert source.records([]) == []


def test_the_source_is_that_of_the_server_unless_an_exchange_is_named(tmp_path, store):
    settings = Settings(home=tmp_path)
    feed = SimulatedFeed(2, seed=7, start_ms=START)
    now = feed.clock.now
    assert isinstance(source_of(settings, feed, now, None), SimulatedBars)
    named = source_of(settings, feed, now, "binance")
    assert named.load("BTC/USDT", "1h", START, START + DAY).source == "binance"
    replay = ReplayFeed(store)
    assert isinstance(source_of(settings, replay, now, None), StoredBars)
    with pytest.raises(CoverageError):
        source_of(settings, feed, now, "kraken")


def test_a_broken_file_is_named_without_the_folders_of_the_server(tmp_path):
    folder = tmp_path / "binance" / "BTC-USDT"
    folder.mkdir(parents=True)
    (folder / "1h.parquet").write_bytes(b"junk")
    with pytest.raises(BarError, match=r"^binance.BTC-USDT.1h\.parquet: ") as caught:
        stored(tmp_path, "binance").load("BTC/USDT", "1h", 0, 10**12)
    assert str(tmp_path) not in str(caught.value)


def test_a_span_is_all_that_is_stored_or_simulated(store):
    assert StoredBars(store).span("BTC/USDT", "1h") == (FIRST, LAST)
    assert StoredBars(store).span("BTC/USDT", "4h") == (FIRST, LAST)  # made of 1h
    assert StoredBars(store).span("BTC/USDT", "5m") is None
    market = SimulatedMarket(["BTC/USDT"], 7)
    assert SimulatedBars(market, lambda: START + 1).span("BTC/USDT", "1h")[1] == START
