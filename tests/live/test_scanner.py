"""Scans of stored bars, bars in memory and feeds: what is ranked, stale, unscored or wrong."""

import asyncio
import json

import numpy as np
import pytest

from opportunity.errors import CoverageError
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.live.core import WARM_BARS
from opportunity.live.histories import N_BARS
from opportunity.live.scanner import day_figures, scan, scan_feed
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import length_ms
from opportunity.market.trust import Faults
from opportunity.scoring.ensemble import score
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules

HOUR = 3_600_000
DAY = 24 * HOUR
END = 20_000 * DAY  # midnight, so that every timeframe closes there
LAX = ScanRules(type="any", threshold=0, min_confidence=0, max_risk="HIGH",
                exclude_neutral=False, min_volume_usd=0)


def walk(symbol, n=600, end=END, timeframe="1h", drift=0.0):
    rng = np.random.default_rng(sum(map(ord, symbol)))
    close = 100 * np.exp(np.cumsum(rng.normal(drift, 0.01, n)))
    open_ = np.concatenate([[100.0], close])[:n]
    high = np.maximum(open_, close) * (1 + rng.random(n) * 0.004)
    low = np.minimum(open_, close) * (1 - rng.random(n) * 0.004)
    step = length_ms(timeframe)
    time = end - step * np.arange(n, 0, -1, dtype=np.int64)
    return Bars.from_arrays(time, open_, high, low, close, rng.random(n) * 1e6,
                            timeframe=timeframe, symbol=symbol, source="test")


def held(*symbols, **kwargs):
    return {s: walk(s, **kwargs) for s in symbols}


def test_memory_is_scored_as_op_score_does():
    bars = walk("BTC/USDT")
    report = scan({"BTC/USDT": bars}, timeframes=["1h", "4h"], rules=LAX)
    row = report.rows[0]
    for timeframe in ("1h", "4h"):
        found = score(bars, timeframe=timeframe)
        assert row.timeframes[timeframe] == found.final[-1]
        told = row.timeframe_breakdown[timeframe]
        assert told.confidence == found.confidence[-1]
        assert told.closed == END
    assert report.time == END
    assert report.source == "test"
    assert (report.stale, report.errors) == ((), {})


def test_streams_start_from_as_many_bars_as_the_agents():
    assert N_BARS == WARM_BARS
    bars = walk("BTC/USDT", n=1_500)
    row = scan({"BTC/USDT": bars}, timeframes=["1h"], rules=LAX).rows[0]
    assert row.timeframes["1h"] == score(bars[-N_BARS:]).final[-1]


def test_old_streams_are_stale_and_not_ranked():
    market = held("A/USDT", "B/USDT") | {
        "C/USDT": walk("C/USDT", end=END - 2 * HOUR),
        "D/USDT": walk("D/USDT", end=END - 3 * HOUR),
    }
    report = scan(market, timeframes=["1h", "4h"], rules=LAX)
    assert {r.symbol for r in report.rows} == {"A/USDT", "B/USDT", "C/USDT", "D/USDT"}
    assert [(s.symbol, s.timeframe, s.bars_behind) for s in report.stale] == [
        ("D/USDT", "1h", 3.0)
    ]
    late = report.evaluation.find("D/USDT")
    assert set(late.timeframes) == {"4h"}
    assert report.evaluation.find("C/USDT").tf_count == 2


def test_a_wholly_stale_symbol_is_left_out_unless_each_is_asked_for():
    market = held("A/USDT") | {"OLD/USDT": walk("OLD/USDT", end=END - 90 * DAY)}
    report = scan(market, timeframes=["1h", "4h"], rules=LAX)
    assert [r.symbol for r in report.rows] == ["A/USDT"]
    assert {s.symbol for s in report.stale} == {"OLD/USDT"}
    assert report.evaluation.find("OLD/USDT").stopped_by == ("unscored",)
    each = scan(market, timeframes=["1h", "4h"], rules=LAX, at="each")
    assert {r.symbol for r in each.rows} == {"A/USDT", "OLD/USDT"}
    assert each.stale == ()
    assert each.each


def test_as_of_a_time_reads_nothing_later():
    bars = walk("A/USDT")
    at = END - 7 * HOUR - 1  # within the bar that closes 7 hours before the end
    report = scan({"A/USDT": bars}, timeframes=["1h", "4h"], rules=LAX, at=at)
    row = report.rows[0]
    assert report.time == at
    assert row.timeframe_breakdown["1h"].closed == END - 8 * HOUR
    assert row.timeframe_breakdown["4h"].closed == END - 8 * HOUR
    assert row.timeframes["1h"] == score(bars[:-8]).final[-1]
    assert row.price == bars.close[-9]


def test_later_bars_never_change_a_scan_of_many_timeframes():
    market = held("A/USDT", "B/USDT", n=9_000, timeframe="15m")
    for back in np.random.default_rng(4).integers(0, 2_000, 12).tolist():
        at = END - back * 900_000 - 1  # within a bar: it must not be read either
        past = {s: b[: int((b.close_time <= at).sum())] for s, b in market.items()}
        whole, part = (
            scan(given, timeframes=["15m", "1h", "4h", "1d"], rules=LAX, at=at).as_dict()
            for given in (market, past)
        )
        whole["duration_ms"] = part["duration_ms"]
        assert whole == part


def test_short_histories_are_listed():
    report = scan(held("A/USDT", n=150), timeframes=["1h", "4h"], rules=LAX)
    assert report.unscored == (("A/USDT", "4h", 38),)
    assert report.rows[0].tf_count == 1


def test_one_bad_symbol_never_stops_the_others():
    broken = walk("BAD/USDT")
    values = broken.values.copy()
    values[5, 2] = values[5, 1] + 1  # low above high
    market = held("A/USDT") | {"BAD/USDT": Bars(broken.time, values, "1h", "BAD/USDT")}
    report = scan(market, ["A/USDT", "BADUSDT", "NONE/USDT", "???"], ["1h"], rules=LAX)
    assert [r.symbol for r in report.rows][:1] == ["A/USDT"]
    assert set(report.errors) >= {"NONE/USDT", "???"}
    assert report.errors["NONE/USDT"].startswith(
        "symbol of test must be a known name, was 'NONE/USDT'"
    )
    assert report.errors["???"].startswith("symbol must be")
    assert report.evaluation.find("A/USDT").rank == 1


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"timeframes": []}, "timeframes must be a list of one or more, was []"),
        ({"timeframes": "1h"}, "timeframes must be a list of one or more, was '1h'"),
        ({"timeframes": ["1hr"]}, "timeframe must be a known name, was '1hr'. Did you mean '1h'?"),
        ({"at": "now"}, "at must be a time in ms UTC or 'each', was 'now'"),
        ({"weights": {"sarr": 1}},
         "weight must be a known name, was 'sarr'. Did you mean 'sar'?"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match="must be") as caught:
        scan(held("A/USDT", n=120), **kwargs)
    assert str(caught.value) == message


def test_bars_in_memory_need_a_timeframe():
    with pytest.raises(ValueError, match="bars of A/USDT must have a timeframe"):
        scan({"A/USDT": walk("A/USDT", n=120).label(timeframe=None)})


def test_a_timeframe_that_cannot_be_made_is_an_error_of_its_stream():
    report = scan(held("A/USDT"), timeframes=["15m", "1h"], rules=LAX)
    assert report.errors == {
        "A/USDT 15m": "A/USDT has no bars that make 15m. There: 1h"
    }
    assert set(report.rows[0].timeframes) == {"1h"}


def test_nothing_to_scan_is_an_empty_report():
    report = scan(held("A/USDT"), symbols=["B/USDT"], timeframes=["1h"])
    assert report.rows == ()
    assert set(report.errors) == {"B/USDT"}
    assert report.as_dict()["symbols_scanned"] == 0


def test_weights_and_rules_reach_the_ranking():
    market = held("A/USDT", "B/USDT", "C/USDT")
    report = scan(market, timeframes=["1h"], weights=Weights(sar=0.9), rules=LAX)
    assert report.rows[0].timeframes["1h"] == pytest.approx(
        score(market[report.rows[0].symbol], Weights(sar=0.9)).final[-1]
    )
    only = ScanRules(**{n: v for n, v in LAX.param.values().items() if n != "name"})
    only.exclude_symbols = ["AUSDT"]
    assert "A/USDT" not in {r.symbol for r in scan(market, timeframes=["1h"], rules=only).rows}


def test_report_travels_as_json():
    body = scan(held("A/USDT", "B/USDT"), timeframes=["1h", "4h"], rules=LAX).as_dict(limit=1)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["opportunities_found"] == 2
    assert len(body["results"]) == 1
    assert body["results"][0]["rank"] == 1
    assert body["rules"]["type"] == "any"


def test_frame_has_a_row_per_rank():
    frame = scan(held("A/USDT", "B/USDT"), timeframes=["1h"], rules=LAX).to_frame()
    assert frame.index.tolist() == [1, 2]


def test_a_store_gives_what_its_bars_give(tmp_path):
    store = BarStore(tmp_path, "test")
    market = held("A/USDT", "B/USDT", n=900)
    for bars in market.values():
        store.write(bars)
    heard = []
    report = scan(tmp_path, timeframes=["1h", "4h"], rules=LAX,
                  progress=lambda done, n: heard.append((done, n)))
    same = scan(market, timeframes=["1h", "4h"], rules=LAX)
    assert [r.as_dict() for r in report.rows] == [r.as_dict() for r in same.rows]
    assert heard == [(1, 2), (2, 2)]
    assert report.source == "test"


def test_a_folder_without_bars_raises(tmp_path):
    with pytest.raises(CoverageError, match="no bars are stored in"):
        scan(tmp_path)


def test_day_figures_cover_the_last_day():
    bars = walk("A/USDT", n=100)
    change, volume = day_figures(bars, bars.close[-1])
    assert change == pytest.approx(bars.close[-1] / bars.open[-24] - 1)
    assert volume == pytest.approx((bars.close * bars.volume)[-24:].sum())
    daily = walk("A/USDT", timeframe="1d", n=10)
    assert day_figures(daily, 7.0)[0] == pytest.approx(7.0 / daily.open[-1] - 1)
    assert np.isnan(day_figures(walk("A/USDT", timeframe="1w", n=10, end=4 * DAY), 7.0)).all()


def test_price_is_the_newest_close_and_not_that_of_the_last_whole_hour():
    bars = walk("A/USDT", n=3_000, timeframe="5m")
    at = END - 10 * 60_000  # 23:50: the last whole hour is 50 minutes old
    row = scan({"A/USDT": bars}, timeframes=["1h", "5m"], rules=LAX, at=at).rows[0]
    assert row.price == bars.close[-3]
    assert row.levels is None or row.levels.entry == bars.close[-3]
    opened = bars.open[bars.time == END - HOUR - DAY][0]
    assert row.change_24h == pytest.approx(bars.close[-3] / opened - 1)


def test_time_may_be_an_integer_of_numpy():
    market = held("A/USDT")
    at = END + 5 * HOUR
    assert scan(market, timeframes=["1h"], at=np.int64(at)).time == at
    assert len(scan(market, timeframes=["1h"], at=np.int64(at)).stale) == 1


@pytest.fixture(scope="module")
def feed():
    return SimulatedFeed(symbols=["BTC/USDT", "ETH/USDT", "SOL/USDT"], seed=3)


def test_a_feed_is_scanned_from_synchronous_code(feed):
    end = asyncio.run(feed.open())
    report = scan(feed, timeframes=["1h", "4h"], rules=LAX, at=end)
    assert {r.symbol for r in report.rows} == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    assert report.source == "simulated"
    assert all(r.source == "simulated" for r in report.rows)


async def test_a_feed_is_scanned_inside_a_running_loop(feed):
    end = await feed.open()
    report = await scan_feed(feed, ["BTCUSDT", "NOPE/USDT"], ["1h"], rules=LAX, at=end)
    assert [r.symbol for r in report.rows] == ["BTC/USDT"]
    assert "NOPE/USDT" in report.errors
    again = scan(feed, ["BTC/USDT"], ["1h"], rules=LAX, at=end)  # as a notebook would
    assert again.rows[0].final_score == report.rows[0].final_score


@pytest.mark.realdata
def test_the_recorded_market_is_ranked(market_data):
    report = scan(market_data / "binance", timeframes=["1h", "4h", "1d"])
    assert report.errors == {}
    assert len(report.evaluation.snapshot.symbols) >= 95
    assert report.time == 1_752_883_200_000  # 2025-07-19 00:00, the newest close
    scored = report.evaluation.consensus.count > 0
    assert int(scored.sum()) == 11  # the long series; the others end in 2024
    assert len(report.rows) >= 1
    assert {s.symbol for s in report.stale}.isdisjoint({r.symbol for r in report.rows})


@pytest.mark.parametrize("day", [20_000, 20_300])
def test_the_default_scan_of_the_simulated_market_returns_rows(day):
    feed = SimulatedFeed(seed=7, start_ms=day * DAY)
    end = asyncio.run(feed.open())
    report = scan(feed, at=end)
    assert len(report.evaluation.snapshot.symbols) == 40
    assert 1 <= len(report.rows) <= 40
    assert report.rows[0].confidence >= ScanRules().min_confidence
    assert report.errors == {}


def test_missing_bars_lower_the_confidence_of_a_scan_and_explain_says_the_same():
    whole = walk("A/USDT")
    kept = np.setdiff1d(np.arange(600), [560, 570, 571, 590])
    bars = Bars(whole.time[kept], whole.values[kept], "1h", "A/USDT", "test")
    row = scan({"A/USDT": bars}, timeframes=["1h"], rules=LAX).rows[0]
    deserved = score(bars)
    assert 0.7 < row.trust < 0.9
    assert row.trust_note == "4 % of the 1h bars missing lately"
    assert row.confidence == deserved.confidence[-1] * row.trust
    assert row.net == deserved.net[-1]
    told, seen = row.timeframe_breakdown["1h"], deserved.explain()
    assert (told.trust, told.trust_note) == (seen.trust, seen.trust_note)
    assert told.confidence == seen.confidence == row.confidence
    assert f"Trust in the data {row.trust:.2f}, which lowers the confidence: 4 %" in str(seen)
    assert row.as_dict()["trust"] == row.trust


def test_too_many_missing_bars_stop_a_symbol():
    whole = walk("A/USDT")
    kept = np.setdiff1d(np.arange(600), np.arange(500, 600, 7))
    market = held("B/USDT") | {"A/USDT": Bars(whole.time[kept], whole.values[kept], "1h")}
    report = scan(market, timeframes=["1h"], rules=LAX)
    assert [r.symbol for r in report.rows] == ["B/USDT"]
    assert report.evaluation.find("A/USDT").stopped_by == ("trust",)
    summary = report.evaluation.trust_summary
    assert (summary.n_vetoed, summary.n_symbols, summary.median < 1) == (1, 2, True)


def test_each_at_its_own_last_bar_is_not_overdue():
    market = held("A/USDT") | {"OLD/USDT": walk("OLD/USDT", end=END - 90 * DAY)}
    each = scan(market, timeframes=["1h", "4h"], rules=LAX, at="each").evaluation
    assert (each.snapshot.trust == 1).all()
    late = scan(market, timeframes=["1h", "4h"], rules=LAX, at=END + 5 * HOUR // 2).evaluation
    assert late.snapshot.trust[0].tolist() == [0.5, 1.0]


async def test_a_scan_of_a_feed_knows_its_faults_unless_it_asks_for_the_past(scripted):
    feed = scripted.ScriptedFeed()
    none, no = np.zeros(2), np.zeros(2, np.bool_)
    feed.faults = lambda: Faults(none, none, no, none, none, np.array([True, False]), no)
    names = ["S1/USDT", "S0/USDT"]
    now = await scan_feed(feed, names, ["1h"], rules=LAX)
    assert now.evaluation.trust.tolist() == [1.0, 0.0]
    past = await scan_feed(feed, names, ["1h"], rules=LAX, at=feed.clock.now() - DAY)
    assert past.evaluation.trust.tolist() == [1.0, 1.0]
