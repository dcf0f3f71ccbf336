from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import HOUR, START, random_bars
from observed import observations

from opportunity.backtest.history import prepare
from opportunity.errors import BarError, CoverageError
from opportunity.market.bars import Bars
from opportunity.scoring.ensemble import collect

DAY = 24 * HOUR


def symbols(*sizes: int) -> dict[str, Bars]:
    """Hourly bars that end together."""
    longest = max(sizes)
    return {f"S{i}/USDT": random_bars(longest, seed=i)[longest - n :] for i, n in enumerate(sizes)}


def test_defaults_are_the_agents_timeframes_as_far_as_there_is_history() -> None:
    made = prepare(random_bars(1_200))
    assert (made.timeframes, made.decision, made.base) == (("1h", "4h"), "1h", "1h")
    assert made.source == "simulated"
    assert made.coverage.start == made.batches.opened[made.start_batch]
    assert not made.observed
    assert repr(made).startswith("<History of 1 symbols on 1h, 4h: ")
    assert prepare(random_bars(1_200), decision_timeframe="4h").decision == "4h"
    assert prepare(random_bars(900), decision_timeframe="2h").timeframes == ("1h", "2h", "4h")


def test_trading_begins_with_the_first_bar_that_opens_at_the_start() -> None:
    at = START + 500 * HOUR
    since = pd.Timestamp(at, unit="ms", tz="UTC")
    made = prepare(random_bars(900), start=since, end=at + 50 * HOUR)
    assert made.batches.opened[made.start_batch] == at
    assert made.batches.time[-1] == at + 50 * HOUR
    assert made.joined.time[0] == at + HOUR
    assert len(made.joined) == 50


def test_streams_hold_what_the_detectors_say() -> None:
    made = prepare(symbols(600, 500), timeframes=["4h", "1h"])
    for row, bars in zip(made.streams, symbols(600, 500).values(), strict=True):
        assert [s.timeframe for s in row] == ["1h", "4h"]
        np.testing.assert_array_equal(row[0].scores, collect(bars).scores)


def test_missing_history_is_an_error_that_says_what_there_is() -> None:
    with pytest.raises(CoverageError) as error:
        prepare(random_bars(900), start=START - 5 * DAY, end=START + 50 * DAY)
    text = str(error.value)
    assert "begins at 2020-09-13T12:00Z only" in text
    assert "ends at " in text
    assert "needs 100 bars to score" in text
    assert "asked: 2020-09-08T12:00Z to 2020-11-02T12:00Z" in text
    assert "TEST/USDT 1h: 2020-09-13T12:00Z to 2020-10-21T00:00Z, 900 bars" in text
    with pytest.raises(CoverageError, match=r"has 50 by .*; it is ready from 2020-09-30T03"):
        prepare(random_bars(900), timeframes=("1h", "4h"), start=START + 200 * HOUR)
    with pytest.raises(CoverageError, match="1d needs 100 bars to score, has 3"):
        prepare(random_bars(900), timeframes=("1h", "1d"))
    with pytest.raises(CoverageError, match="there are no bars"):
        prepare(random_bars(900), end=START - DAY)
    with pytest.raises(CoverageError, match="no decision falls"):
        prepare(random_bars(899), start=START + 898 * HOUR, decision_timeframe="4h")


def test_partial_history_is_taken_when_it_is_asked_for() -> None:
    bars = symbols(900, 450)
    start = START + 430 * HOUR
    with pytest.raises(CoverageError, match="S1/USDT: begins at"):
        prepare(bars, timeframes=("1h", "4h"), start=start)
    made = prepare(bars, timeframes=("1h", "4h"), start=start, partial=True)
    assert any("S1/USDT: begins at" in p for p in made.coverage.problems)
    first = {i: int(made.joined.time[p[0]]) for i, p in enumerate(made.joined.of_symbol)}
    assert first == {0: start + HOUR, 1: START + 451 * HOUR}
    alone = prepare({"S0/USDT": bars["S0/USDT"], "GONE/USDT": bars["S1/USDT"][:0]}, partial=True)
    assert alone.joined.of_symbol[0].size == 0  # GONE comes first by name
    with pytest.raises(CoverageError, match="there are no bars"):
        prepare(bars["S0/USDT"][:0], partial=True)


def test_gaps_are_reported_and_never_filled_in() -> None:
    bars, keep = random_bars(1_200), np.ones(1_200, np.bool_)
    keep[700:720] = False
    torn = replace(bars, time=bars.time[keep], values=bars.values[keep])
    made = prepare(torn, timeframes=("1h", "4h"))
    assert len(made.batches) == 1_180
    assert made.coverage.missing == 20
    keep[700:900] = False
    torn = replace(bars, time=bars.time[keep], values=bars.values[keep])
    with pytest.raises(CoverageError, match="nothing for 8"):
        prepare(torn, timeframes=("1h", "4h"))
    assert prepare(torn, timeframes=("1h", "4h"), partial=True).coverage.problems


def test_the_digest_is_of_all_that_is_read() -> None:
    bars = random_bars(600)
    same = {prepare(b, timeframes=("1h",)).digest for b in (bars, [bars], {"TEST/USDT": bars})}
    assert len(same) == 1
    values = bars.values.copy()
    values[3, 4] += 1
    others = [
        prepare(replace(bars, values=values), timeframes=("1h",)),
        prepare(bars.label(symbol="A/USDT"), timeframes=("1h",)),
        prepare(bars[:-1], timeframes=("1h",)),
        prepare(bars, timeframes=("1h",), observations=observations(bars)),
    ]
    assert len(same | {h.digest for h in others}) == 5


def test_bars_that_break_a_rule_are_refused() -> None:
    bars = random_bars(600)
    with pytest.raises(BarError):
        prepare(replace(bars, time=bars.time[::-1].copy()))
    with pytest.raises(TypeError, match="bars must be"):
        prepare(bars.to_frame())
    with pytest.raises(ValueError, match="decision_timeframe must be one of"):
        prepare(bars, timeframes=("4h",), decision_timeframe="1h")


def test_progress_is_told_and_may_end_the_work() -> None:
    from walks import walk_bars

    told: list[tuple[int, int]] = []
    prepare(walk_bars(), timeframes=["1h", "4h"], progress=lambda *seen: told.append(seen))
    done = [seen for seen, _ in told]
    assert done == sorted(done)
    assert done[-1] == told[-1][1] > 0
    assert len({total for _, total in told}) == 1

    def stop(seen: int, total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        prepare(walk_bars(), timeframes=["1h"], progress=stop)


def test_a_span_may_end_where_the_market_was_closed():
    bars = random_bars(900)
    keep = np.ones(900, np.bool_)
    keep[600:660] = False
    bars = replace(bars, time=bars.time[keep], values=bars.values[keep])
    monday = int(bars.time[600]) - HOUR
    history = prepare(bars, timeframes=["1h"], end=monday)
    assert int(history.batches.time[-1]) == monday - 59 * HOUR
    with pytest.raises(CoverageError, match=r"ends at .* already"):
        prepare(bars.between(None, monday), timeframes=["1h"], end=monday)
