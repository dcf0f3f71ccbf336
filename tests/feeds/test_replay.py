import numpy as np
import pytest

from opportunity.errors import CoverageError
from opportunity.feeds import Closed, Forming, ReplayFeed
from opportunity.market.timeframe import DAY_MS, HOUR_MS

START = 1_704_067_200_000  # 2024-01-01, as in conftest


async def batches(feed: ReplayFeed) -> list[Closed]:
    await feed.open()
    out = [r async for r in feed.stream() if isinstance(r, Closed)]
    await feed.close()
    return out


async def test_everything_comes_once_and_then_the_stream_ends(store):
    feed = ReplayFeed(store, speed=1e7, start=START)
    found = await batches(feed)
    count = np.bincount(np.concatenate([b.rows for b in found]), minlength=4)
    held = [store.coverage(s, "1h").n_bars for s in feed.symbols]
    assert count.tolist() == held
    assert found[-1].time == START + 40 * DAY_MS
    assert feed.source == "replay:testing"


async def test_late_listing_gap_and_early_end_are_no_bars(store):
    feed = ReplayFeed(store, ["SOL/USDT", "ETH/USDT", "DOGE/USDT"], speed=1e7, start=START)
    found = await batches(feed)
    by_row = [[b.time for b in found if row in b.rows] for row in range(3)]
    assert by_row[0][0] == START + 10 * DAY_MS + HOUR_MS
    assert max(np.diff(by_row[1])) == 8 * HOUR_MS
    assert by_row[2][-1] == START + 38 * DAY_MS


async def test_default_start_is_a_fifth_in_when_there_is_little(store):
    feed = ReplayFeed(store)
    assert await feed.open() == START + 8 * DAY_MS
    await feed.close()


async def test_span_bounds_what_closes(store):
    start, end = START + 20 * DAY_MS, START + 21 * DAY_MS
    found = await batches(ReplayFeed(store, speed=1e7, start=start, end=end))
    assert [found[0].time, found[-1].time] == [start + HOUR_MS, end]
    with pytest.raises(ValueError, match="start must be before end"):
        ReplayFeed(store, start=end, end=start)
    with pytest.raises(CoverageError, match="1h 960 bars"):
        await ReplayFeed(store, start=START + 900 * DAY_MS).open()


async def test_history_never_holds_a_bar_that_has_not_closed(store):
    feed = ReplayFeed(store, ["BTC/USDT"], start=START + 20 * DAY_MS)
    start = await feed.open()
    for timeframe, length in (("1h", 1), ("4h", 4), ("1d", 24)):
        for shift in (0, 1, 90, 60 * 7):
            end = start + shift * 60_000
            bars = await feed.history("BTC/USDT", timeframe, 5, end)
            assert bars.time[-1] + length * HOUR_MS <= end
            assert len(bars) == 5
    await feed.close()


async def test_histories_of_an_unstored_timeframe_are_only_padding(store):
    feed = ReplayFeed(store, start=START + 20 * DAY_MS)
    start = await feed.open()
    time, values = await feed.histories("1m", 10, start)
    assert not time.any()
    assert np.isnan(values).all()
    await feed.close()


async def test_forming_is_the_latest_close_and_no_invented_path(make_feed):
    feed = make_feed("replay", start=37 * 24 + 23.5, speed=600)
    start = await feed.open()
    assert start % HOUR_MS == HOUR_MS // 2
    last: Closed | None = None
    seen = 0
    async for record in feed.stream():
        if isinstance(record, Forming):
            o, h, low, c, v = record.values.T
            assert (o == h).all()
            assert (h == low).all()
            assert (low == c).all()
            assert not v.any()
            if last is not None:
                assert (record.times == last.time).sum() == last.rows.size
                np.testing.assert_array_equal(c[: last.rows.size], last.values[:, 3])
            seen += 1
            rows = record.rows.size
        else:
            last = record if record.rows.size == 4 else None
            if record.time > START + 40 * DAY_MS - 40 * HOUR_MS:
                break
    assert seen > 10
    assert rows == 3  # the coin that ended is no longer shown
    await feed.close()


async def test_stream_opens_by_itself(store):
    feed = ReplayFeed(store, speed=1e7, start=START + 39 * DAY_MS)
    found = [r async for r in feed.stream() if isinstance(r, Closed)]
    assert len(found) == 24
    await feed.close()


@pytest.mark.realdata
async def test_all_recorded_symbols_replay(market_data):
    from opportunity.market.store import BarStore

    feed = ReplayFeed(BarStore(market_data, "binance"), speed=1e7, start=1_722_470_400_000,
                      end=1_725_148_800_000)  # August 2024
    assert (len(feed.symbols), feed.base) == (95, "1h")
    start = await feed.open()
    time, values = await feed.histories("4h", 1000, start)
    assert (np.isfinite(values[:, :, 3]).sum(axis=1) > 500).sum() > 80
    assert (time[time > 0] + 4 * HOUR_MS <= start).all()
    n = sum([r.rows.size async for r in feed.stream() if isinstance(r, Closed)])
    assert n > 90 * 24 * 30
    await feed.close()
