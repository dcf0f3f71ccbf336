from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR, random_bars
from observed import observations

from opportunity.backtest import evidence as module
from opportunity.backtest.batches import batches_of
from opportunity.backtest.evidence import empty_stream, folded, tasks
from opportunity.backtest.observing import know
from opportunity.detectors import DETECTORS
from opportunity.market.bars import Bars
from opportunity.market.continuity import facts_of
from opportunity.market.resample import resample
from opportunity.market.trust import GAPS, VOLUME
from opportunity.scoring.ensemble import collect

NOTHING = {"sentiment", "news", "whales"}


@pytest.fixture(scope="module")
def bars() -> Bars:
    made = random_bars(900)
    keep = np.ones(900, np.bool_)
    keep[[300, 301, 302, 303, 304, 555]] = False
    values = made.values.copy()
    values[700:704, 4] = 0.0
    return replace(made, time=made.time[keep], values=values[keep])


def filled(bars: Bars, timeframe: str, records=None):
    detectors = [d() for d in DETECTORS]
    part = folded(0, bars, timeframe, batches_of([bars], "1h"))
    stream = empty_stream(part, "1h", len(detectors))
    for n, call in tasks(stream, part, detectors, know([bars], detectors, records)):
        assert n == len(stream)
        call()
    return stream


@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_a_stream_holds_what_collect_says_of_every_bar(bars, timeframe, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 123)
    stream, whole = filled(bars, timeframe), resample(bars, timeframe)
    seen = collect(whole)
    np.testing.assert_array_equal(stream.time, whole.time)
    np.testing.assert_array_equal(stream.closed, whole.close_time)
    for name in ("scores", "confidences", "volatility", "atr"):
        np.testing.assert_array_equal(getattr(stream, name), getattr(seen, name), name)
    np.testing.assert_array_equal(stream.trend, np.nan_to_num(seen.trend))
    assert np.isfinite(stream.scores[99:, :6]).all()


def test_records_reach_the_detectors_that_read_them(bars, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 200)
    records = observations(bars)
    stream, seen = filled(bars, "1h", records), collect(bars, observations=records)
    np.testing.assert_array_equal(stream.scores, seen.scores)
    np.testing.assert_array_equal(stream.confidences, seen.confidences)
    assert np.isfinite(stream.scores[-1, 6:]).any()


def test_flags_and_facts_are_those_of_the_bars(bars) -> None:
    stream = filled(bars, "1h")
    after = np.flatnonzero(np.diff(bars.time) != HOUR) + 1
    np.testing.assert_array_equal(np.flatnonzero(stream.flagged), after)
    for i in (0, 299, 300, 400, 697, len(bars) - 1):
        facts = facts_of(bars[: i + 1])
        assert (stream.gaps[i], stream.flat[i]) == (facts[GAPS], facts[VOLUME])
    assert stream.flat.max() == 4
    long = filled(bars, "4h")
    assert 0 < long.flagged.sum() < 5
    assert long.gaps.max() > 0


def test_a_bar_that_no_batch_tells_of_is_left_out() -> None:
    bars = random_bars(8)
    first = int(np.flatnonzero(bars.time % (4 * HOUR) == 0)[0])
    part = folded(0, bars[first : first + 3], "4h", batches_of([bars[first : first + 3]], "1h"))
    assert len(part.bars) == 0
    other = bars.label(symbol="OTHER")
    both = batches_of([bars[first : first + 3], other], "1h")
    part = folded(0, bars[first : first + 3], "4h", both)
    assert len(part.bars) == int(bars.time[-1] >= bars.time[first] + 4 * HOUR)
