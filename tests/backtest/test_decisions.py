from dataclasses import replace

import numpy as np
import pytest
from builders import mirrored, random_bars
from observed import observations

from opportunity.backtest import decisions as module
from opportunity.backtest.decisions import Decisions, decide_all, look
from opportunity.backtest.history import History, prepare
from opportunity.contracts import DETECTOR_NAMES
from opportunity.entries import entry_sides
from opportunity.feeds.base import pad
from opportunity.live.streams import Streams
from opportunity.live.warming import instants
from opportunity.market.bars import Bars
from opportunity.market.figures import DayFigures
from opportunity.market.observations import Record
from opportunity.market.timeframe import length_ms
from opportunity.strategy import evaluate
from opportunity.trading.rules import TradeRecord

QUARTER = length_ms("15m")
START = 1_600_000_000_000 // length_ms("1d") * length_ms("1d")
N = 2_400
RULES = TradeRecord(min_score=0.55, min_confidence=0.1)
WEIGHTS = {"smc": 0.3, "sar": 0.4, "whales": 0.2}
ARRAYS = (
    "final", "net", "confidence", "consensus", "disagreement", "coverage", "trust", "direction",
    "count", "contributions",
)  # fmt: skip


def quarters(symbol: str, seed: int, n: int = N, first: int = 0, base: int = QUARTER) -> Bars:
    time = START + base * np.arange(first, first + n)
    name = {QUARTER: "15m", length_ms("1h"): "1h"}[base]
    return Bars(time, random_bars(n, seed=seed).values, name, symbol, "simulated")


def holed(bars: Bars, *holes: slice) -> Bars:
    keep = np.ones(len(bars), np.bool_)
    for hole in holes:
        keep[hole] = False
    return replace(bars, time=bars.time[keep], values=bars.values[keep])


@pytest.fixture(scope="module")
def market() -> list[Bars]:
    """One whole; one with holes of every kind; one that is listed late and ends early."""
    whole, late = quarters("WHOLE/USDT", 1), quarters("LATE/USDT", 3, 1_700, 500)
    torn = quarters("TORN/USDT", 2)
    values = torn.values.copy()
    values[900:916, 4] = 0.0  # four hours in which nobody trades
    torn = replace(torn, values=values)
    single = [slice(i, i + 1) for i in (700, 703, 1_007, 1_303, 1_304, 1_306, 2_399)]
    hours = [slice(1_103, 1_105), slice(1_450, 1_463), slice(1_600, 1_710), slice(2_000, 2_040)]
    scattered = [slice(i, i + 1) for i in range(1_800, 1_900, 3)]
    return [whole, holed(torn, *single, *hours, *scattered), late]


def live(
    market: list[Bars], frames: tuple[str, ...], decision: str, since: int,
    records: list[Record] | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Drive live streams bar by bar; judge each symbol whose decision bar has closed."""
    market = sorted(market, key=lambda b: b.symbol)
    base = market[0].timeframe
    streams = Streams([b.symbol for b in market], frames, base, "simulated")
    day = DayFigures(len(market), base)
    waiting, column, found = list(records or []), frames.index(decision), []
    before = np.zeros(len(market), np.int64)
    time, values = pad(market, max(map(len, market)))
    for rows, times, bars in instants(time, values, 0):
        now = int(times[0]) + length_ms(base)
        while waiting and waiting[0].available_at <= now:
            streams.observers.take([waiting.pop(0)])
        streams.update(rows, times, bars)
        day.feed(rows, times, bars)
        streams.flush(int(times.max()))
        snapshot = streams.snapshot(day).fresh()
        closed = snapshot.closed[:, column]
        due = np.flatnonzero(closed != before)
        before = closed
        if due.size and int(times[0]) >= since:
            seen = evaluate(snapshot, WEIGHTS)
            found.append(_told(seen, snapshot, due, column, now))
    streams.close()
    return {name: np.concatenate([f[name] for f in found]) for name in found[0]}


def _told(seen, snapshot, due, column, now) -> dict[str, np.ndarray]:
    consensus = seen.consensus
    told = {name: getattr(consensus, name)[due] for name in (
        "final", "net", "confidence", "consensus", "disagreement", "coverage", "direction", "count"
    )}  # fmt: skip
    told |= {"trust": seen.trust[due], "key": seen.key[due], "symbol": due}
    told["time"] = np.full(due.size, now)
    told["side"] = entry_sides(consensus, seen.trust, RULES)[due]
    told["volume"] = snapshot.volume_24h[due]
    told["flagged"], told["atr"] = snapshot.flagged[due, column], snapshot.atr[due, column]
    return told


def assert_live(made: Decisions, told: dict[str, np.ndarray]) -> None:
    columns = made.table.dtype.names
    for name, values in told.items():
        mine = made.table[name] if name in columns else getattr(made, name)
        np.testing.assert_array_equal(mine, values, name)
    np.testing.assert_array_equal(made.table["score"], told["final"])
    np.testing.assert_array_equal(made.table["confidence"], told["confidence"])


def assert_same(first: Decisions, second: Decisions, rows=slice(None)) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name)[rows], getattr(second, name), name)
    for name in first.table.dtype.names:
        np.testing.assert_array_equal(first.table[name][rows], second.table[name], name)


@pytest.mark.parametrize(
    ("frames", "decision"), [(("1h", "4h"), "1h"), (("15m", "1h", "4h"), "15m")]
)
def test_live_streams_decide_the_same_bit_for_bit(market, frames, decision) -> None:
    since = START + 440 * QUARTER  # before the long timeframe can score
    history = prepare(
        market, timeframes=frames, decision_timeframe=decision, start=since, partial=True
    )
    made = decide_all(history, WEIGHTS, RULES)
    told = live(market, frames, decision, since)
    assert_live(made, told)
    assert (made.trust < 1).any()
    assert (made.trust == 1).any()
    assert made.table["flagged"].any()
    assert np.unique(made.side).tolist() == [-1, 0, 1]
    assert (made.count == 0).any()
    assert (made.count == len(frames)).any()


def test_records_count_from_when_they_are_known(monkeypatch) -> None:
    hour = length_ms("1h")
    bars = quarters("TEST/USDT", 5, 700, base=hour)
    middle = START + 350 * hour
    told = observations(bars)
    records = [r for r in told if hasattr(r, "available_at") and r.available_at >= middle]
    monkeypatch.setattr(module, "CHUNK", 64)
    since = START + 120 * hour
    history = prepare(
        bars, timeframes=("1h", "4h"), observations=records[::-1], start=since, partial=True
    )
    made = decide_all(history, WEIGHTS, RULES)
    assert_live(made, live([bars], ("1h", "4h"), "1h", since, records))
    place = DETECTOR_NAMES.index("sentiment")
    there = np.isfinite(made.contributions[:, place])
    assert there.any()
    assert not there[made.time < middle].any()
    assert history.observed


def test_one_symbol_alone_decides_as_live(market) -> None:
    """Nobody else's bars close those that a hole has cut short."""
    since = START + 440 * QUARTER
    made = decide_all(
        prepare(market[1], timeframes=("1h",), start=since, partial=True), WEIGHTS, RULES
    )
    assert_live(made, live(market[1:2], ("1h",), "1h", since))


@pytest.fixture(scope="module")
def history(market) -> History:
    return prepare(market, timeframes=("1h", "4h"), start=START + 440 * QUARTER, partial=True)


@pytest.mark.parametrize("cut", [1_210, 1_703, 2_111])
def test_what_comes_later_changes_no_decision(market, history, cut) -> None:
    end = START + cut * QUARTER
    short = prepare(
        market, timeframes=("1h", "4h"), start=START + 440 * QUARTER, end=end, partial=True
    )
    whole, part = (decide_all(h, WEIGHTS, RULES) for h in (history, short))
    before = whole.time <= end
    assert 0 < before.sum() < len(whole)
    assert len(short.batches) == np.searchsorted(history.batches.time, end, side="right")
    assert_same(whole, part, before)


def test_a_mirrored_market_mirrors_the_sides() -> None:
    bars = quarters("TEST/USDT", 4)
    plain, turned = (
        decide_all(prepare(b, timeframes=("1h", "4h")), WEIGHTS, RULES)
        for b in (bars, mirrored(bars))
    )
    assert set(np.unique(plain.side)) == {-1, 0, 1}
    np.testing.assert_array_equal(plain.side, -turned.side)
    np.testing.assert_allclose(plain.net, -turned.net, atol=1e-9)
    np.testing.assert_array_equal(plain.direction, -turned.direction)


def test_contributions_add_up_to_the_score(history) -> None:
    made = decide_all(history, WEIGHTS, RULES, {"4h": 1.0})
    scored = made.count > 0
    together = np.nansum(made.contributions[scored], axis=1)
    np.testing.assert_allclose(together, made.net[scored], atol=1e-12)
    assert np.isnan(made.contributions[~scored]).all()


def test_how_they_are_cut_changes_nothing(history, monkeypatch) -> None:
    whole = decide_all(history, WEIGHTS, RULES)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert_same(whole, decide_all(history, WEIGHTS, RULES))


def test_the_order_in_which_symbols_are_given_does_not_matter(market, history) -> None:
    other = prepare(
        {b.symbol: b for b in market[::-1]}, timeframes=("4h", "1h"),
        start=START + 440 * QUARTER, partial=True,
    )  # fmt: skip
    assert other.digest == history.digest
    assert_same(decide_all(history, None, RULES), decide_all(other, None, RULES))


def test_table_is_by_batch_then_symbol(history) -> None:
    table = decide_all(history, None, RULES).table
    steps = np.diff(table["batch"] * len(history.symbols) + table["symbol"])
    assert (steps > 0).all()
    assert table["batch"].min() >= history.start_batch
    np.testing.assert_array_equal(history.batches.time[table["batch"]], table["time"])


def test_weights_and_timeframes_are_checked(history) -> None:
    with pytest.raises(ValueError, match="sar"):
        decide_all(history, {"sra": 1.0}, RULES)
    with pytest.raises(ValueError, match="timeframe"):
        decide_all(history, None, RULES, {"3h": 1.0})


def test_frame_tells_symbols_and_sides(history) -> None:
    made = decide_all(history, WEIGHTS, RULES)
    frame = made.to_frame()
    assert list(frame.index.tz_convert("UTC").as_unit("ms").asi8) == made.time.tolist()
    assert set(frame.symbol) == set(history.symbols)
    assert set(frame.direction) == {"BULLISH", "NEUTRAL", "BEARISH"}
    assert f"{len(made)} of 3 symbols" in repr(made)


def test_look_reads_what_was_known_at_the_time(history) -> None:
    at = history.joined.of_symbol[1][-3:]
    seen = look(history, at)
    assert seen.scores.shape == (3, 2, len(DETECTOR_NAMES))
    stream = history.streams[1][0]
    np.testing.assert_array_equal(seen.scores[-1, 0], stream.scores[-1])
    np.testing.assert_array_equal(seen.exists, history.exists_from == 0)
