"""Pages of a venue as it may be; what comes out is always what it has, each bar once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paged import DAY, HOUR, MINUTE, NOW, PagedVenue, values_at

from opportunity.feeds.exchange.history.paging import OffGridError, Pager
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.timeframe import length_ms, open_ms


async def walk(venue, since, until, timeframe="1m", most=400, **options):
    pager = Pager(venue, "BTC/USDT", timeframe, **options)
    times, spans, values = [], [], []
    async for page in pager.pages(since, until):
        times.append(page.bars.time)
        values.append(page.bars.values)
        spans.append(page.span)
        assert len(spans) < most, "the walk does not end"
    for a, b in pairwise(spans):
        assert a[1] == b[0]
    if spans:
        assert spans[0][0] == since
    join = np.concatenate
    return (join(times) if times else np.zeros(0)), (join(values) if values else None), spans, pager


def truth(venue, since, until, timeframe="1m"):
    times = venue.traded(timeframe, since, until)
    return times[times + length_ms(timeframe) + 2_000 <= venue.clock.now()]


END = open_ms(NOW, "1m") + MINUTE
OVERLAP = {"from": 2, "window": 2, "short": 0}


@pytest.mark.parametrize("cap", [300, 720, 1_000])
@pytest.mark.parametrize("style", ["from", "window", "short"])
@pytest.mark.parametrize("newest_first", [False, True])
async def test_capped_pages_in_any_order_give_every_bar_once(cap, style, newest_first):
    venue = PagedVenue(cap=cap, style=style, newest_first=newest_first, overlap=OVERLAP[style])
    since = END - 4_000 * MINUTE
    times, values, spans, _ = await walk(venue, since, END)
    np.testing.assert_array_equal(times, truth(venue, since, END))
    np.testing.assert_array_equal(values, values_at(times, MINUTE))
    assert spans[-1][1] == END - MINUTE  # the open minute is left out, and not said to be known
    assert len(venue.asked) <= 4_000 // (cap * 0.6 - 2) + 8


@pytest.mark.parametrize("cap", [100, 200, 500])
@pytest.mark.parametrize("listed", [None, 5_470])
async def test_a_venue_that_gives_the_end_of_what_was_asked_for_hides_nothing(cap, listed):
    options = {} if listed is None else {"listed": END - listed * MINUTE}
    venue = PagedVenue(cap=cap, style="end", **options)
    since = END - 6_000 * MINUTE
    times, *_ = await walk(venue, since, END)
    np.testing.assert_array_equal(times, truth(venue, since, END))
    assert len(venue.asked) < 90


async def test_nor_does_it_hide_the_day_of_the_listing():
    venue = PagedVenue(cap=100, style="end", listed=NOW - 300 * DAY)
    since = END - 700 * DAY
    times, *_ = await walk(venue, open_ms(since, "4h"), END, "4h")
    np.testing.assert_array_equal(times, truth(venue, since, END, "4h"))


async def test_a_hole_at_the_head_of_a_page_costs_one_more_question():
    hole = (END - 4_000 * MINUTE, END - 3_900 * MINUTE)
    venues = [PagedVenue(), PagedVenue(holes=(hole,))]
    for venue in venues:
        times, *_ = await walk(venue, hole[0], END)
        np.testing.assert_array_equal(times, truth(venue, hole[0], END))
    assert len(venues[1].asked) == len(venues[0].asked) + 1


@pytest.mark.parametrize("days", [8, 30, 400])
async def test_a_venue_that_refuses_what_is_too_old_gives_the_rest(days):
    kept = {"1m": 10_000 * MINUTE, "1h": 10_000 * HOUR}
    venue = PagedVenue(style="window", keeps=kept, refuses=True)
    since = END - days * DAY
    times, _, spans, _ = await walk(venue, since, END)
    there = truth(venue, max(since, NOW - 10_000 * MINUTE), END)
    assert there.size - 300 <= times.size  # where it begins is searched to a page
    np.testing.assert_array_equal(times, there[-times.size :])
    assert spans[-1][1] == END - MINUTE
    assert len(venue.asked) < 80


async def test_a_symbol_that_is_refused_altogether_raises():
    refused = VenueError("no such symbol", "refused")
    venue = PagedVenue(errors=[refused, VenueError("no such symbol", "refused")])
    with pytest.raises(VenueError, match="no such symbol"):
        await walk(venue, END - 9 * DAY, END)
    assert len(venue.asked) == 2
    venue = PagedVenue(errors=[refused, VenueError("cut off", "unreachable")])
    with pytest.raises(VenueError, match="cut off"):
        await walk(venue, END - 9 * DAY, END)


async def test_open_bar_is_only_final_after_its_grace():
    close = open_ms(NOW, "1m")
    for ms, n in ((1_999, 9), (2_000, 10)):
        venue = PagedVenue(now=close + ms)
        times, *_ = await walk(venue, close - 10 * MINUTE, close)
        assert times.size == n


@pytest.mark.parametrize("style", ["from", "window"])
async def test_years_before_the_listing_cost_few_requests(style):
    listed = NOW - 3 * DAY - 7 * HOUR
    venue = PagedVenue(cap=300, style=style, listed=listed)
    since = END - 2_000 * DAY
    times, _, spans, _ = await walk(venue, since, END)
    np.testing.assert_array_equal(times, truth(venue, since, END))
    assert spans[-1][1] == END - MINUTE
    assert len(venue.asked) < 60


@pytest.mark.parametrize("style", ["from", "window"])
async def test_an_outage_of_days_is_stepped_over(style):
    hole = (END - 9 * DAY, END - 4 * DAY - 5 * HOUR)
    venue = PagedVenue(cap=300, style=style, holes=(hole,))
    since = END - 10 * DAY
    times, _, _, _ = await walk(venue, since, END)
    np.testing.assert_array_equal(times, truth(venue, since, END))
    assert not ((times >= hole[0] + MINUTE) & (times < hole[1] - MINUTE)).any()


async def test_a_symbol_that_is_gone_ends_the_walk():
    venue = PagedVenue(gone=END - 30 * DAY)
    since = END - 31 * DAY
    times, _, spans, _ = await walk(venue, since, END)
    assert times.size == 1_440
    assert spans[-1][1] == END - MINUTE
    assert len(venue.asked) < 10


@pytest.mark.parametrize("timeframes", [("1m",), ("1m", "1h", "1d")])
async def test_a_venue_with_nothing_at_all_ends_the_walk(timeframes):
    venue = PagedVenue(listed=NOW + DAY, timeframes=timeframes)
    since = END - 30 * DAY
    times, _, spans, _ = await walk(venue, since, END)
    assert times.size == 0
    assert spans[-1][1] == END - MINUTE
    assert len(venue.asked) <= 30 * 1_440 // 300 + 1


async def test_a_venue_that_gives_only_its_newest_rows():
    venue = PagedVenue(cap=720, style="newest")
    since = END - 30 * DAY
    times, _, spans, _ = await walk(venue, since, END)
    newest = truth(venue, since, END)[-719:]
    np.testing.assert_array_equal(times, newest)
    assert (spans[0][0], spans[-1][1]) == (since, END - MINUTE)
    assert len(venue.asked) < 5


@pytest.mark.parametrize("style", ["from", "window"])
async def test_a_since_that_is_too_old_is_answered_with_nothing(style):
    venue = PagedVenue(style=style, keeps={"1m": 5 * DAY})
    since = END - 300 * DAY
    times, _, _, _ = await walk(venue, since, END)
    oldest = NOW - 5 * DAY
    there = truth(venue, oldest, END)
    assert there.size - times.size <= 31
    np.testing.assert_array_equal(times, there[-times.size :])
    assert len(venue.asked) < 60


async def test_broken_rows_are_passed_and_counted():
    def spoil(timeframe, since, times, values):
        values[3] = np.nan
        values[4, 1] = 0.5  # high under low
        times[5] += 17

    venue = PagedVenue(cap=300, spoil=spoil)
    since = END - 600 * MINUTE
    times, _, spans, pager = await walk(venue, since, END)
    assert times.size == 599 - 3 * len(venue.asked)
    assert pager.tally.invalid == 2 * len(venue.asked)
    assert pager.tally.off_grid == len(venue.asked)
    assert spans[-1][1] == END - MINUTE


async def test_weeks_from_thursday_are_off_our_grid():
    venue = PagedVenue(week_from_thursday=True)
    since = open_ms(NOW - 70 * DAY, "1w")
    with pytest.raises(OffGridError, match="1w bars of binance open elsewhere"):
        await walk(venue, since, NOW, "1w", strict_grid=True)
    times, _, spans, _ = await walk(venue, since, NOW, "1w")
    assert times.size == 0
    assert spans


async def test_one_off_grid_answer_is_a_slip():
    slips = [7]

    def spoil(timeframe, since, times, values):
        times += slips.pop() if slips else 0

    venue = PagedVenue(spoil=spoil)
    times, *_ = await walk(venue, END - 100 * MINUTE, END, strict_grid=True)
    assert times.size == 99


async def test_nothing_is_asked_for_an_empty_span():
    venue = PagedVenue()
    assert (await walk(venue, END, END))[2] == []
    assert venue.asked == []


@settings(max_examples=60)
@given(
    cap=st.sampled_from([300, 720, 1_000]),
    style=st.sampled_from(["from", "window", "short"]),
    newest_first=st.booleans(),
    overlap=st.integers(0, 3),
    n=st.integers(1, 6_000),
    listed=st.integers(0, 8_000),
    holes=st.lists(st.tuples(st.integers(0, 6_000), st.integers(1, 900)), max_size=4),
)
async def test_whatever_the_pages_the_bars_are_those_that_exist(
    cap, style, newest_first, overlap, n, listed, holes
):
    venue = PagedVenue(
        cap=cap,
        style=style,
        newest_first=newest_first,
        overlap=min(overlap, OVERLAP[style]),
        listed=END - listed * MINUTE,
        holes=tuple((END - (a + b) * MINUTE, END - a * MINUTE) for a, b in holes),
    )
    since = END - n * MINUTE
    times, _, spans, _ = await walk(venue, since, END)
    np.testing.assert_array_equal(times, truth(venue, since, END))
    if spans:
        assert spans[-1][1] == END - MINUTE
