import numpy as np
import pytest

from opportunity.live import warming as module
from opportunity.live.streams import Streams
from opportunity.live.warming import catch_up, feed_figures, instants, warm
from opportunity.market.figures import DayFigures
from opportunity.market.timeframe import DAY_MS, HOUR_MS

FRAMES = ("1h", "4h", "1d")


@pytest.fixture
def feed(scripted):
    return scripted.ScriptedFeed()


def new_streams(feed) -> Streams:
    return Streams(feed.symbols, FRAMES, "1h", "simulated")


async def test_streams_are_warm_at_the_start_and_the_history_is_offered(feed):
    start, offered = await feed.open(), {}
    streams = new_streams(feed)
    await warm(feed, streams, start, lambda t, time, values: offered.update({t: values.shape}))
    assert streams.time == start
    assert set(offered) == set(FRAMES)
    assert offered["1h"] == (2, module.WARM_BARS, 5)
    snapshot = streams.snapshot(DayFigures(2, "1h"))
    assert np.isfinite(snapshot.scores[:, :, 0]).all()
    assert (snapshot.closed[:, 0] == start).all()
    streams.close()


async def test_unfinished_longer_bars_go_on_where_the_history_ends(scripted):
    feed = scripted.ScriptedFeed(start=5_502)  # two hours into a bar of four
    start = await feed.open()
    streams = new_streams(feed)
    await warm(feed, streams, start, lambda *_: None)
    forming = streams.forming(0, "4h")
    assert forming is not None
    assert forming.time == feed.bars[0].time[5_500]
    assert forming.high == feed.bars[0].high[5_500:5_502].max()
    streams.close()


@pytest.mark.parametrize("piece", [7, 1_000])
async def test_every_missed_bar_is_given_once_and_in_order(feed, monkeypatch, piece):
    monkeypatch.setattr(module, "CATCH_UP_BARS", piece)
    start, seen = await feed.open(), []
    streams = new_streams(feed)
    streams.time = start - 40 * HOUR_MS
    await catch_up(feed, streams, start, lambda rows, times, bars: seen.append(
        (rows.tolist(), times.tolist(), bars[:, 3].tolist())))
    assert [times for _, times, _ in seen] == [
        [start - n * HOUR_MS] * 2 for n in range(40, 0, -1)
    ]
    assert all(rows == [0, 1] for rows, _, _ in seen)
    assert seen[-1][2] == [bars.close[5_499] for bars in feed.bars]
    assert streams.time == start
    streams.close()


async def test_figures_of_the_day_and_drawdowns_come_from_history(feed):
    start = await feed.open()
    streams, day = new_streams(feed), DayFigures(2, "1h")
    await feed_figures(feed, streams, day, start)
    bars = feed.bars[1]
    assert day.price[1] == bars.close[5_499]
    assert day.volume()[1] == pytest.approx(
        (bars.close[5_476:5_500] * bars.volume[5_476:5_500]).sum(), rel=0.2
    )
    assert np.isfinite(streams.drawdowns.rank).all()
    streams.close()


def test_instants_leave_out_what_is_missing_or_too_old():
    time = DAY_MS + HOUR_MS * np.array([[0, 1, 2], [0, 2, 3]])
    values = np.arange(30.0).reshape(2, 3, 5)
    values[0, 0] = np.nan
    found = [
        (rows.tolist(), times.tolist(), bars[:, 0].tolist())
        for rows, times, bars in instants(time, values, DAY_MS + HOUR_MS)
    ]
    hours = [DAY_MS + n * HOUR_MS for n in range(4)]
    assert found == [
        ([0], [hours[1]], [5.0]),
        ([0, 1], [hours[2]] * 2, [10.0, 20.0]),
        ([1], [hours[3]], [25.0]),
    ]
    assert list(instants(time, values, 5 * DAY_MS)) == []


async def test_symbol_that_was_behind_is_given_what_it_lacked(feed):
    """It was still being repaired when the others' state was kept."""
    start, seen = await feed.open(), []
    streams = new_streams(feed)
    await warm(feed, streams, start - 20 * HOUR_MS, lambda *_: None)
    for bar in range(5_480, 5_490):
        event = feed.batch(bar, [0] if bar >= 5_486 else None)
        streams.update(event.rows, event.times, event.values)
    advanced = streams.update

    def advance(rows, times, bars):
        seen.append((rows.tolist(), int(times[0])))
        advanced(rows, times, bars)

    await catch_up(feed, streams, start, advance)
    opened = feed.bars[0].time
    assert seen[:4] == [([1], opened[i]) for i in range(5_486, 5_490)]
    assert [rows for rows, _ in seen[4:]] == [[0, 1]] * 10
    assert streams.newest.tolist() == [opened[5_499]] * 2
    streams.close()


async def test_bars_of_before_the_start_are_refused_after_the_warm_up(feed):
    start = await feed.open()
    streams = new_streams(feed)
    await warm(feed, streams, start, lambda *_: None)
    assert streams.newest.tolist() == [start - HOUR_MS] * 2
    streams.close()
