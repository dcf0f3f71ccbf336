import asyncio

import numpy as np
import pytest
from paged import DAY, HOUR, MINUTE, NOW, PagedVenue

from opportunity.feeds.exchange.history.download import LONGEST_WAIT_S, TRIES, Download
from opportunity.feeds.exchange.history.reports import Stream
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.store import BarStore
from opportunity.market.timeframe import open_ms

END = open_ms(NOW, "1m")
SPAN = (END - 10 * DAY, END + DAY)


class Watch:
    def __init__(self, on_page=None):
        self.shares, self.waited, self.reports, self.on_page = {}, [], [], on_page

    def moved(self, stream, share, n_bars):
        self.shares.setdefault(stream, []).append(share)
        if self.on_page is not None:
            self.on_page(len(self.shares[stream]))

    def waits(self, stream, seconds, why):
        self.waited.append((seconds, why))

    def finished(self, report):
        self.reports.append(report)


async def no_sleep(seconds):
    await asyncio.sleep(0)


def download(venue, folder, streams, span=SPAN, watch=None):
    store = BarStore(folder, venue.stamp_name)
    return Download(venue, store, streams, span, watch or Watch(), lambda: NOW, no_sleep)


def streams(*names):
    return [Stream(*name.split()) for name in names]


async def test_several_streams_are_downloaded_and_reported_in_order(tmp_path):
    venue, watch = PagedVenue(cap=720), Watch()
    wanted = streams("BTC/USDT 1m", "ETH/USDT 1m", "BTC/USDT 1h", "ETH/USDT 1h", "XRP/USDT 1h")
    reports = await download(venue, tmp_path, wanted, watch=watch).run()
    assert [r.stream for r in reports] == wanted
    assert {r.error for r in reports} == {""}
    assert [r.n_bars for r in reports] == [14_400, 14_400, 240, 240, 240]
    assert [(r.missing, r.gaps, r.confirmed) for r in reports] == [(0, (), True)] * 5
    for shares in watch.shares.values():
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
    asked = [a[0] for a in venue.asked]
    assert asked.index("ETH/USDT") < len(asked) - asked[::-1].index("BTC/USDT")  # side by side
    stored = BarStore(tmp_path, "binance").read("BTC/USDT", "1m")
    assert (np.diff(stored.time) == MINUTE).all()
    assert stored.time[-1] == END - MINUTE


async def test_second_run_asks_for_nothing_but_what_is_new(tmp_path):
    venue = PagedVenue()
    wanted = streams("BTC/USDT 1m")
    await download(venue, tmp_path, wanted).run()
    venue.asked.clear()
    (report,) = await download(venue, tmp_path, wanted).run()
    assert venue.asked == []
    assert (report.n_new, report.n_bars) == (0, 14_400)
    venue.clock.start(NOW + 5 * MINUTE)
    (report,) = await download(venue, tmp_path, wanted).run()
    assert (report.n_new, len(venue.asked)) == (5, 1)


@pytest.mark.parametrize("pages", [1, 2, 7, 8, 14])
async def test_cancelled_download_keeps_what_came_and_goes_on_from_there(tmp_path, pages):
    venue = PagedVenue()
    wanted = streams("BTC/USDT 1m")
    task = None

    def stop(n_pages):
        if n_pages == pages:
            task.cancel()

    task = asyncio.ensure_future(download(venue, tmp_path, wanted, watch=Watch(stop)).run())
    with pytest.raises(asyncio.CancelledError):
        await task
    kept = BarStore(tmp_path, "binance").coverage("BTC/USDT", "1m").n_bars
    assert kept >= (pages - 1) * 1_000
    n_asked = len(venue.asked)
    (report,) = await download(venue, tmp_path, wanted).run()
    assert report.n_bars == 14_400
    assert report.missing == 0
    assert len(venue.asked) <= 15 - pages + n_asked + 2


async def test_gaps_are_told_and_confirmed_by_a_second_question(tmp_path):
    holes = ((END - 5 * DAY, END - 5 * DAY + 40 * MINUTE), (END - 2 * DAY, END - DAY))
    venue = PagedVenue(holes=holes)
    (report,) = await download(venue, tmp_path, streams("BTC/USDT 1m")).run()
    assert report.gaps == holes
    assert (report.missing, report.largest, report.confirmed) == (1_480, 1_440, True)
    venue.asked.clear()
    (again,) = await download(venue, tmp_path, streams("BTC/USDT 1m")).run()
    assert again.gaps == holes
    assert venue.asked == []


async def test_gap_that_was_a_slip_is_mended(tmp_path):
    slips = [1]

    def spoil(timeframe, since, times, values):
        if slips:
            slips.pop()
            values[100:200] = np.nan

    venue = PagedVenue(spoil=spoil)
    (report,) = await download(venue, tmp_path, streams("BTC/USDT 1m")).run()
    assert (report.missing, report.n_bars, report.tally.invalid) == (0, 14_400, 100)


async def test_symbol_that_is_refused_does_not_stop_the_others(tmp_path):
    venue = PagedVenue(errors=[VenueError("no such symbol", "refused")])
    first, second = await download(venue, tmp_path, streams("OLD/USDT 1h", "BTC/USDT 1h")).run()
    assert {first.error, second.error} == {"no such symbol", ""}


async def test_failures_on_the_way_are_waited_out(tmp_path):
    venue, watch = PagedVenue(), Watch()

    def fail(n_pages):
        if n_pages in (3, 6):
            venue.errors.append(VenueError("away for a moment", "unreachable"))
        if n_pages == 9:
            venue.errors.append(VenueError("slower", "limited", retry_at=NOW + 7_000))

    watch.on_page = fail
    (report,) = await download(venue, tmp_path, streams("BTC/USDT 1m"), watch=watch).run()
    assert (report.error, report.n_bars, report.missing) == ("", 14_400, 0)
    assert [w for w, _ in watch.waited] == [2.0, 2.0, 7.0]


async def test_venue_that_stays_away_is_given_up_with_what_came(tmp_path):
    venue, watch = PagedVenue(), Watch()
    watch.on_page = lambda n: venue.errors.extend(
        [VenueError("away", "unreachable")] * 99 if n == 4 else []
    )
    (report,) = await download(venue, tmp_path, streams("BTC/USDT 1m"), watch=watch).run()
    assert report.error == "away"
    assert report.n_bars == 4_000
    assert len(watch.waited) == TRIES - 1


async def test_long_ban_ends_everything_and_says_how_to_go_on(tmp_path):
    until = NOW + int(LONGEST_WAIT_S * 1_000) + 5_000
    venue = PagedVenue(errors=[VenueError("locked out", "banned", retry_at=until)] * 4)
    wanted = streams(*(f"S{i}/USDT 1h" for i in range(9)))
    reports = await download(venue, tmp_path, wanted).run()
    assert len(venue.asked) == 4  # those that were on their way
    assert all(r.error.startswith("locked out") for r in reports)
    assert "run the same command again" in reports[-1].error


async def test_weeks_off_our_grid_are_made_of_days(tmp_path):
    venue = PagedVenue(week_from_thursday=True)
    (report,) = await download(venue, tmp_path, streams("BTC/USDT 1w"), (NOW - 70 * DAY, NOW)).run()
    assert report.stream.timeframe == "1d"
    assert report.error == ""
    assert "1w is made of 1d" in report.note
    assert len(BarStore(tmp_path, "binance").load("BTC/USDT", "1w")) == 10


async def test_other_made_up_market_is_not_mixed_in(tmp_path):
    venue = PagedVenue(stamp="simulated", stamp_name="simulated")
    wanted = streams("BTC/USDT 1h")
    await download(venue, tmp_path, wanted).run()
    venue.factor = 2.0
    (report,) = await download(venue, tmp_path, wanted, (SPAN[0] - DAY, SPAN[1])).run()
    assert "another made-up market" in report.error
    assert BarStore(tmp_path, "simulated").coverage("BTC/USDT", "1h").n_bars == 240


async def test_damaged_file_is_an_error_of_its_stream(tmp_path):
    venue = PagedVenue()
    await download(venue, tmp_path, streams("BTC/USDT 1h")).run()
    (tmp_path / "binance" / "BTC-USDT" / "1h.parquet").write_bytes(b"PAR1")
    first, second = await download(venue, tmp_path, streams("BTC/USDT 1h", "ETH/USDT 1h")).run()
    assert "file must be Parquet" in first.error
    assert second.error == ""


async def test_symbol_that_was_listed_later(tmp_path):
    venue = PagedVenue(listed=END - 2 * HOUR)
    (report,) = await download(venue, tmp_path, streams("NEW/USDT 1m")).run()
    assert report.first == END - 2 * HOUR
    assert (report.n_bars, report.missing) == (120, 0)
