from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR, START, random_bars
from walks import walk_bars

from opportunity.backtest.coverage import (
    MissingHistoryError,
    cover,
    refuse,
    span_problems,
    warmup_problem,
)
from opportunity.backtest.history import prepare
from opportunity.backtest.span import Span
from opportunity.errors import CoverageError
from opportunity.market.bars import Bars
from opportunity.market.timeframe import DAY_MS, utc_text


def torn(n: int, *holes: slice) -> Bars:
    bars, keep = random_bars(n), np.ones(n, np.bool_)
    for hole in holes:
        keep[hole] = False
    return replace(bars, time=bars.time[keep], values=bars.values[keep])


def test_gaps_are_counted_and_the_longest_come_first() -> None:
    found = cover([torn(100, slice(3, 4), slice(10, 15), slice(40, 42))], Span())
    (symbol,) = found.symbols
    assert (symbol.n_bars, symbol.missing, found.missing) == (92, 8, 8)
    assert (symbol.first, symbol.last) == (START, START + 100 * HOUR)
    assert ((symbol.gaps - START) // HOUR).tolist() == [[3, 4], [10, 15], [40, 42]]
    assert ((symbol.longest(2) - START) // HOUR).tolist() == [[10, 15], [40, 42]]
    assert "92 bars, 8 missing in 3 gaps" in str(found)
    assert "gap of 5 bars: " in str(found)
    assert found.to_frame().loc["TEST/USDT", "missing"] == 8
    told = found.as_dict()
    assert told["symbols"][0]["n_gaps"] == 3
    assert told["symbols"][0]["longest_gaps"][0] == [START + 10 * HOUR, START + 15 * HOUR]


def test_without_bars_it_says_so() -> None:
    found = cover([random_bars(1)[:0]], Span())
    assert "TEST/USDT 1h: no bars" in str(found)
    assert span_problems(found, 0) == ["TEST/USDT: there are no bars"]


@pytest.mark.parametrize(("asked", "words"), [
    (Span(START - 2 * HOUR), "begins at 2020-09-13T12:00Z only"),
    (Span(None, START + 102 * HOUR), "ends at 2020-09-17T16:00Z already"),
])  # fmt: skip
def test_a_span_that_is_not_there_is_a_problem(asked, words) -> None:
    found = cover([torn(100)], asked)
    assert span_problems(found, HOUR) == [f"TEST/USDT: {words}"]
    assert span_problems(found, 2 * HOUR) == []
    with pytest.raises(CoverageError, match=f"(?s){words}.*asked: .*100 bars"):
        refuse(found, span_problems(found, HOUR))


def test_a_hole_of_more_than_a_week_is_missing_history() -> None:
    week = 7 * 24
    assert not span_problems(cover([torn(400, slice(50, 50 + week))], Span()), 0)
    hole = torn(400, slice(50, 51 + week))
    (problem,) = span_problems(cover([hole], Span()), 0)
    assert "nothing for 7.0 days from" in problem
    after = cover([hole], Span(START + 300 * HOUR))
    assert not span_problems(after, 0)  # in the warm-up it only costs trust
    daily = np.array([0, 1, 2, 13, 14])
    slow = Bars(START // DAY_MS * DAY_MS + DAY_MS * daily, random_bars(5).values, "1d", "A")
    assert not span_problems(cover([slow], Span()), 0)  # ten bars


@pytest.mark.parametrize(("gap", "n_problems"), [(60, 0), (7 * 24, 0), (8 * 24, 1)])
@pytest.mark.parametrize("side", ["start", "end"])
def test_a_span_may_end_in_a_gap_that_is_not_a_long_one(side, gap, n_problems) -> None:
    whole = torn(600, slice(200, 200 + gap))
    if side == "end":  # a Monday, where trading ended on Friday
        asked, part = Span(None, START + (200 + gap) * HOUR), whole[:200]
    else:
        asked, part = Span(START + 200 * HOUR), whole[200:]
    found = cover([part], asked)
    assert len(span_problems(found, HOUR, [whole])) == n_problems
    assert len(span_problems(found, HOUR)) == 1  # nothing is known of bars beyond
    assert len(span_problems(found, HOUR, [part])) == 1


def test_a_symbol_that_ends_long_before_the_others_is_a_problem() -> None:
    """Whoever holds it would be marked at its last close until the others end."""
    long = random_bars(600)
    gone = long[: 600 - 8 * 24].label(symbol="GONE/USDT")
    (problem,) = span_problems(cover([gone, long], Span()), 0)
    assert problem.startswith("GONE/USDT: ends at 2020-09-30T12:00Z already, others at 2020-10-08")
    assert not span_problems(cover([long[: 600 - 7 * 24].label(symbol="B"), long], Span()), 0)
    asked = Span(None, START + 600 * HOUR)
    assert len(span_problems(cover([gone, long], asked), 0)) == 1  # told once


def test_many_problems_are_cut_short() -> None:
    many = [random_bars(1)[:0].label(symbol=f"S{i}") for i in range(50)]
    found = cover(many, Span())
    with pytest.raises(CoverageError, match="and 20 more") as error:
        refuse(found, span_problems(found, 0))
    assert len(str(error.value).splitlines()) < 70
    refuse(found, [])


def test_a_short_warm_up_is_worded() -> None:
    assert warmup_problem("A", "4h", 7, START) == (
        "A: 4h needs 100 bars to score, has 7 by the first decision at 2020-09-13T12:00Z"
    )
    assert warmup_problem("", "4h", 7, None).endswith("has 7 in all")


def test_an_error_tells_what_there_is_and_not_only_what_was_read():
    bars = walk_bars("BTC/USDT")
    with pytest.raises(MissingHistoryError, match="no bars in what was asked") as caught:
        prepare(bars, start="2020-01-01", end="2020-02-01")
    assert utc_text(int(bars.time[0])) in str(caught.value)
    one = caught.value.report["symbols"][0]
    assert (one["first"], one["bars"]) == (int(bars.time[0]), 0)
    caught.value.hold({"BTC/USDT": (1, 86_400_000)})
    assert caught.value.report["symbols"][0]["last"] == 86_400_000
    assert "1970-01-02" in str(caught.value)


def test_missing_bars_are_counted_where_they_are_asked_for():
    bars = walk_bars("BTC/USDT")
    keep = np.ones(len(bars), bool)
    keep[[50, 51, 500]] = False
    holed = Bars(bars.time[keep], bars.values[keep], "1h", "BTC/USDT")
    found = cover([holed], Span())
    at = bars.time[51]
    assert found.missing == 3
    assert found.missing_between(int(bars.time[0]), int(at)) == 1
    assert found.missing_between(int(at), int(bars.time[-1])) == 2
