import asyncio

import numpy as np
import pytest
from paged import DAY, HOUR, MINUTE, NOW, PagedVenue

from opportunity.feeds.exchange.history import archive as module
from opportunity.feeds.exchange.history.archive import Archive
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.quality import require_valid
from opportunity.market.resample import resample
from opportunity.market.store import BarStore
from opportunity.market.timeframe import length_ms, open_ms

END = open_ms(NOW, "1m")


def archive(venue, folder=None):
    return Archive(venue, None if folder is None else BarStore(folder, venue.stamp_name))


@pytest.fixture(params=[False, True], ids=["no store", "store"])
def folder(request, tmp_path):
    return tmp_path if request.param else None


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "1d"])
async def test_newest_closed_bars_come(folder, timeframe):
    venue = PagedVenue(cap=300)
    bars = await archive(venue, folder).load("BTC/USDT", timeframe, 250, NOW)
    require_valid(bars)
    length = length_ms(timeframe)
    assert bars.time.tolist() == [
        open_ms(NOW - 2_000, timeframe) - i * length for i in range(250, 0, -1)
    ]
    assert (bars.symbol, bars.timeframe, bars.source) == ("BTC/USDT", timeframe, "binance")


async def test_bar_within_its_grace_is_left_out_and_comes_later(folder):
    venue = PagedVenue(now=END + 500)
    kept = archive(venue, folder)
    assert (await kept.load("BTC/USDT", "1m", 3, END)).time[-1] == END - 2 * MINUTE
    venue.clock.start(END + 2_500)
    assert (await kept.load("BTC/USDT", "1m", 3, END)).time[-1] == END - MINUTE


async def test_end_in_the_past(folder):
    bars = await archive(PagedVenue(), folder).load("BTC/USDT", "1h", 5, NOW - 9 * DAY)
    assert bars.time[-1] == open_ms(NOW - 9 * DAY, "1h") - HOUR


async def test_second_load_asks_only_for_what_is_new(tmp_path):
    venue = PagedVenue()
    first = await archive(venue, tmp_path).load("BTC/USDT", "1m", 2_000, END)
    venue.asked.clear()
    again = await archive(venue, tmp_path).load("BTC/USDT", "1m", 2_000, END)
    np.testing.assert_array_equal(first.values, again.values)
    assert venue.asked == []
    venue.clock.start(NOW + 10 * MINUTE)
    later = await archive(venue, tmp_path).load("BTC/USDT", "1m", 2_000, NOW + 10 * MINUTE)
    assert later.time[-1] == END + 9 * MINUTE
    assert [a[2] for a in venue.asked] == [END]
    venue.asked.clear()
    await archive(venue, tmp_path).load("BTC/USDT", "1m", 2_200, NOW + 10 * MINUTE)
    assert venue.asked[0][2] < END - 2_000 * MINUTE  # older ones are known not to have been asked
    assert len(venue.asked) == 1


async def test_gap_is_asked_for_twice_and_then_never_again(tmp_path):
    hole = (END - 300 * MINUTE, END - 200 * MINUTE)
    venue = PagedVenue(holes=(hole,))
    bars = await archive(venue, tmp_path).load("BTC/USDT", "1m", 600, END)
    assert len(bars) == 600  # it reached further back for those that are missing
    assert not ((bars.time >= hole[0]) & (bars.time < hole[1])).any()
    assert any(a[2] == hole[0] for a in venue.asked)
    venue.asked.clear()
    for _ in range(2):
        again = await archive(venue, tmp_path).load("BTC/USDT", "1m", 600, END)
        np.testing.assert_array_equal(again.time, bars.time)
    assert venue.asked == []


async def test_a_gap_that_was_a_slip_is_mended_by_the_second_question(tmp_path):
    slips = [1]

    def spoil(timeframe, since, times, values):
        if slips and times.size > 50:
            slips.pop()
            values[20:40] = np.nan

    venue = PagedVenue(spoil=spoil)
    bars = await archive(venue, tmp_path).load("BTC/USDT", "1m", 100, END)
    assert (np.diff(bars.time) == MINUTE).all()
    assert len(bars) == 100


async def test_a_venue_that_keeps_little_is_not_asked_for_more_over_and_over(folder):
    venue = PagedVenue(cap=720, style="newest")
    kept = archive(venue, folder)
    for n_symbol in range(8):
        for n, timeframe in ((1_000, "1h"), (1_440, "1m")):
            bars = await kept.load(f"A{n_symbol}/USDT", timeframe, n, NOW)
            assert len(bars) == 719
    assert len(venue.asked) <= 16 + 5  # at first it is looked whether older ones are hidden


async def test_a_venue_that_hides_bars_is_seen_through_by_every_stream(folder):
    venue = PagedVenue(cap=200, style="end")
    kept = archive(venue, folder)
    for name in ("A/USDT", "B/USDT"):
        assert len(await kept.load(name, "1h", 900, NOW)) == 900
    limits = [limit for symbol, _, _, limit in venue.asked if symbol == "B/USDT"]
    assert max(limits) <= 200


async def test_a_young_symbol_has_what_it_has(folder):
    venue = PagedVenue(listed=NOW - 5 * HOUR, cap=300)
    kept = archive(venue, folder)
    bars = await kept.load("NEW/USDT", "1m", 1_000, END)
    assert 290 <= len(bars) <= 300
    n = len(venue.asked)
    assert n < 25
    await kept.load("NEW/USDT", "1m", 1_000, END)
    assert folder is None or len(venue.asked) == n


@pytest.mark.parametrize(
    ("venue", "timeframe", "made_of"),
    [
        (PagedVenue(timeframes=("1m", "1h", "1d")), "4h", "1h"),
        (PagedVenue(timeframes=("1m", "1h", "1d")), "1w", "1d"),
        (PagedVenue(week_from_thursday=True), "1w", "1d"),
    ],
)
async def test_timeframe_that_is_lacking_is_made_of_shorter_bars(folder, venue, timeframe, made_of):
    kept = archive(venue, folder)
    bars = await kept.load("BTC/USDT", timeframe, 20, NOW)
    plain = await kept.load("BTC/USDT", made_of, 250, NOW)
    whole = resample(plain, timeframe, now=open_ms(NOW - 2_000, timeframe))[-20:]
    np.testing.assert_array_equal(bars.time, whole.time)
    np.testing.assert_array_equal(bars.values, whole.values)
    assert bars.timeframe == timeframe
    venue.asked.clear()
    await kept.load("BTC/USDT", timeframe, 20, NOW)
    assert timeframe not in {a[1] for a in venue.asked}  # it is not asked for in vain again


async def test_first_made_bar_without_its_beginning_is_left_out():
    venue = PagedVenue(timeframes=("1m", "1h"), listed=open_ms(NOW, "4h") - 7 * HOUR + 1)
    bars = await archive(venue).load("BTC/USDT", "4h", 5, NOW)
    assert bars.time.tolist() == [open_ms(NOW, "4h") - 4 * HOUR]


async def test_no_bars_at_all_can_make_it():
    with pytest.raises(ValueError, match="timeframe must be one"):
        await archive(PagedVenue(timeframes=("1h",))).load("BTC/USDT", "5m", 5, NOW)


async def test_many_symbols_in_their_order(folder):
    venue = PagedVenue()
    names = [f"S{i}/USDT" for i in range(9)]
    bars = await archive(venue, folder).loads(names, "1h", 30, NOW)
    assert [b.symbol for b in bars] == names
    assert {len(b) for b in bars} == {30}


async def test_refused_symbol_costs_only_itself(folder):
    venue = PagedVenue(errors=[VenueError("no such symbol", "refused")])
    kept = archive(venue, folder)
    bars = await kept.loads(["A/USDT", "B/USDT"], "1h", 30, NOW)
    assert sorted(len(b) for b in bars) == [0, 30]
    assert list(kept.errors.values()) == ["no such symbol"]
    await kept.loads(["A/USDT", "B/USDT"], "1h", 30, NOW)
    assert kept.errors == {}


@pytest.mark.parametrize("kind", ["unreachable", "banned", "limited"])
async def test_venue_that_does_not_answer_raises(folder, kind):
    venue = PagedVenue(errors=[VenueError("away", kind)])
    with pytest.raises(VenueError, match="away"):
        await archive(venue, folder).loads(["A/USDT", "B/USDT"], "1h", 30, NOW)


async def test_damaged_store_is_left_alone_and_not_needed(tmp_path):
    venue = PagedVenue()
    await archive(venue, tmp_path).load("BTC/USDT", "1h", 10, NOW)
    path = tmp_path / "binance" / "BTC-USDT" / "1h.parquet"
    path.write_bytes(b"PAR1 not really")
    bars = await archive(venue, tmp_path).load("BTC/USDT", "1h", 10, NOW)
    assert len(bars) == 10
    assert path.read_bytes() == b"PAR1 not really"


async def test_another_made_up_market_does_not_mix_with_the_stored_one(tmp_path):
    venue = PagedVenue(stamp="simulated", stamp_name="simulated")
    first = await archive(venue, tmp_path).load("BTC/USDT", "1h", 10, NOW)
    assert first.source == "simulated"
    venue.factor = 3.0
    other = await archive(venue, tmp_path).load("BTC/USDT", "1h", 10, NOW)
    np.testing.assert_allclose(other.close, first.close * 3)
    stored = BarStore(tmp_path, "simulated").read("BTC/USDT", "1h")
    np.testing.assert_array_equal(stored.close, first.close)


async def test_one_stream_asked_for_twice_at_once_is_fetched_once(tmp_path):
    venue = PagedVenue()
    kept = archive(venue, tmp_path)
    both = await asyncio.gather(*(kept.load("BTC/USDT", "1m", 900, END) for _ in range(2)))
    np.testing.assert_array_equal(both[0].time, both[1].time)
    assert len(venue.asked) == 1


async def test_bad_rows_are_counted(folder):
    def spoil(timeframe, since, times, values):
        values[0] = np.nan

    kept = archive(PagedVenue(spoil=spoil), folder)
    bars = await kept.load("BTC/USDT", "1m", 10, END)
    require_valid(bars)
    assert kept.tally.invalid >= 1


async def test_revised_bars_replace_the_stored_ones_in_every_timeframe(tmp_path):
    venue = PagedVenue()
    kept = archive(venue, tmp_path)
    old = {t: await kept.load("BTC/USDT", t, 200, END) for t in ("1m", "5m")}
    venue.factor = 1.5
    np.testing.assert_array_equal((await kept.load("BTC/USDT", "1m", 200, END)).values,
                                  old["1m"].values)
    since = END - 30 * MINUTE
    kept.revise("BTC/USDT", since)
    await kept.load("BTC/USDT", "1m", 50, since - MINUTE)  # does not reach the change
    for timeframe, before in old.items():
        after = await kept.load("BTC/USDT", timeframe, 200, END)
        changed = after.close != before.close
        np.testing.assert_array_equal(changed, after.time >= open_ms(since, timeframe))
    venue.asked.clear()
    await kept.load("BTC/USDT", "1m", 200, END)
    assert venue.asked == []  # once is enough
    again = await archive(venue, tmp_path).load("BTC/USDT", "1m", 200, END)
    assert again.close[-1] == old["1m"].close[-1] * 1.5


@pytest.mark.parametrize("many", [False, True])
async def test_bars_revised_while_they_are_asked_for_are_asked_for_again(
    tmp_path, monkeypatch, many
):
    venue = PagedVenue()
    kept = archive(venue, tmp_path)
    await kept.load("BTC/USDT", "1m", 200, END)
    since, bars = END - 30 * MINUTE, venue.bars
    if many:
        monkeypatch.setattr(module, "MOST_REVISED", 1)
    kept.revise("BTC/USDT", since)

    async def overtaken(*args):
        rows = await bars(*args)
        venue.bars = bars
        venue.factor = 1.5
        kept.revise("BTC/USDT", since)
        return rows

    venue.bars = overtaken
    await kept.load("BTC/USDT", "1m", 200, END)
    after = await kept.load("BTC/USDT", "1m", 200, END)
    fresh = await archive(PagedVenue(), tmp_path / "other").load("BTC/USDT", "1m", 200, END)
    np.testing.assert_array_equal(after.close[-30:], fresh.close[-30:] * 1.5)
