import datetime

import numpy as np
import pandas as pd
import pytest
from builders import HOUR, START, random_bars

from opportunity.backtest import span as module
from opportunity.backtest.span import (
    Span,
    chosen_frames,
    closed_by,
    decision_of,
    moment,
    named_bars,
    possible_frames,
    span_of,
    wanted_frames,
    warm_from,
)
from opportunity.errors import BarError
from opportunity.live.agent import DEFAULT_TIMEFRAMES

WHEN = 1_577_836_800_000


@pytest.mark.parametrize("when", [
    WHEN, np.int64(WHEN), "2020-01-01", "2020-01-01T00:00", "2020-01-01T01:00+01:00",
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.date(2020, 1, 1),
    pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01", tz="UTC"),
    pd.Timestamp("2019-12-31 19:00", tz="America/New_York"), np.datetime64("2020-01-01"),
])  # fmt: skip
def test_moments_of_every_kind_are_the_same(when) -> None:
    assert moment(when, "start") == WHEN


def test_moments_that_are_none_are_refused() -> None:
    assert moment(None, "start") is None
    for bad, error in (("02/05/2020", ValueError), (1_577_836_800, ValueError), (True, TypeError),
                       (1.5e12, TypeError), (pd.NaT, (TypeError, ValueError)),
                       (np.datetime64("NaT"), ValueError)):  # fmt: skip
        with pytest.raises(error, match="end must"):
            moment(bad, "end")
    with pytest.raises(ValueError, match="end must be later than start 2020-02-01, was 2020-01-01"):
        span_of("2020-02-01", "2020-01-01")
    assert span_of(None, "2020-01-01") == Span(None, WHEN)


def test_bars_come_by_symbol_and_end_with_those_that_closed() -> None:
    one, two = (random_bars(20).label(symbol=s) for s in ("B/USDT", "A/USDT"))
    found = closed_by(named_bars([one, two]), START + 5 * HOUR + 1)
    assert [b.symbol for b in found] == ["A/USDT", "B/USDT"]
    assert [len(b) for b in found] == [5, 5]
    named = named_bars({"X/USDT": one})
    assert (named[0].symbol, len(named[0])) == ("X/USDT", 20)
    assert len(named_bars(one.label(symbol=""))) == 1


def test_bars_that_do_not_fit_are_refused() -> None:
    bars = random_bars(20)
    with pytest.raises(ValueError, match="at least one symbol"):
        named_bars([])
    with pytest.raises(ValueError, match="'TEST/USDT' twice"):
        named_bars([bars, bars])
    with pytest.raises(ValueError, match="must carry their symbols"):
        named_bars([bars, bars.label(symbol="")])
    with pytest.raises(ValueError, match="of one timeframe, were 1d, 1h"):
        named_bars([bars, random_bars(1).label(timeframe="1d", symbol="B").between(0, 1)])
    with pytest.raises(ValueError, match="must have a timeframe"):
        named_bars(bars.label(timeframe=None))
    with pytest.raises(BarError):
        named_bars(bars.label(timeframe="1d"))
    for bad in (bars.to_frame(), {"A": bars.to_frame()}, "bars", [3], iter([bars])):
        with pytest.raises(TypeError, match="bars must be"):
            named_bars(bad)


def test_timeframes_follow_from_the_base() -> None:
    assert module.DEFAULT_TIMEFRAMES == DEFAULT_TIMEFRAMES
    assert possible_frames("1m") == DEFAULT_TIMEFRAMES
    assert possible_frames("2h") == ("4h", "1d")
    assert possible_frames("1w") == ("1w",)
    assert wanted_frames("1h", ["4h", "1h"]) == ("1h", "4h")
    assert wanted_frames("1h", "4h") == ("4h",)
    for bad, words in ((["30m"], "whole bars of 1h, was 30m"), ([], "without repeats"),
                       (["1h", "1h"], "without repeats"), (["3h"], "was '3h'")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            wanted_frames("1h", bad)


def test_decisions_fall_hourly_or_as_near_as_can_be() -> None:
    assert decision_of(("15m", "1h", "4h"), None) == "1h"
    assert decision_of(("15m", "4h", "1d"), None) == "4h"
    assert decision_of(("5m", "15m"), None) == "15m"
    assert decision_of(("15m", "1h"), "15m") == "15m"
    with pytest.raises(ValueError, match="one of the timeframes 1h, 4h, was 1d"):
        decision_of(("1h", "4h"), "1d")


def test_warm_up_is_of_the_longest_timeframe():
    frames = chosen_frames("1h", None)
    assert frames == ("1h", "4h", "1d")
    assert warm_from(10**12, frames) == 10**12 - 1_000 * 24 * 3_600_000
    assert chosen_frames("1h", None, "2h") == ("1h", "2h", "4h", "1d")
    assert chosen_frames("1h", ["4h"], "2h") == ("4h",)


def test_a_frame_is_told_what_makes_bars_of_it():
    frame = pd.DataFrame({"close": [1.0]})
    for given in (frame, [frame], {"A": frame}):
        with pytest.raises(TypeError, match="from_frame"):
            named_bars(given)
