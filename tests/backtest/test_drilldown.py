from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_cases import (
    HOUR,
    MIDNIGHT,
    PLAIN,
    as_bytes,
    bars_of,
    decided,
    prices,
    setup_of,
    setups,
    world,
)

from opportunity.backtest.batches import batches_of
from opportunity.backtest.drilldown import Drilled, finer_of
from opportunity.backtest.execution import execute
from opportunity.errors import BarError
from opportunity.market.bars import Bars
from opportunity.market.resample import resample
from opportunity.trading.risk import UNLIMITED

QUARTER = HOUR // 4
CALM = (100, 101, 99, 100)


def quarters(seed, n=400, symbol="A/USDT"):
    """A random walk in quarters of an hour."""
    [hours], _, _ = world(seed, n)
    time = MIDNIGHT + QUARTER * np.arange(n, dtype=np.int64)
    return Bars(time, hours.values, "15m", symbol, "simulated")


def test_the_finer_bars_tell_that_the_target_came_first():
    rules = replace(PLAIN, targets_r=(1.0,), shares=(1.0,))
    fine = bars_of([*[CALM] * 8, (100, 111, 99, 110), (110, 111, 100, 101), (101, 102, 89, 90),
                    (90, 101, 90, 100)], step=QUARTER)  # fmt: skip
    hours = resample(fine, "1h")
    batches = batches_of([hours], "1h")
    table = decided(batches, (0, 1))
    parts, drilled = finer_of([fine], ["A/USDT"], "1h", batches)
    assert drilled == Drilled("15m", 3, 3)
    plain = execute(batches, table, setup_of(rules), 1)
    walked = execute(batches, table, setup_of(rules), 1, finer=parts)
    assert prices(plain)[1][0] == "SL"
    assert prices(walked)[1] == ("TP", -1, 10.0, 110.0)
    assert walked.fills["time"][1] == MIDNIGHT + 9 * QUARTER


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), setups())
def test_walking_inside_is_walking_the_finer_bars(seed, setup):
    setup = replace(setup, risk=UNLIMITED)  # breakers look at every close, of which there are more
    fine = quarters(seed)
    inside, hours = batches_of([fine], "15m"), resample(fine, "1h")
    batches = batches_of([hours], "1h")
    _, _, table = world(seed, len(hours))
    parts, _ = finer_of([fine], ["A/USDT"], "1h", batches)
    found = execute(batches, table, setup, 1, finer=parts)
    finest = table.copy()
    finest["batch"] = table["batch"] * 4 + 3
    other = execute(inside, finest, setup, 1)
    assert found.fills.tobytes() == other.fills.tobytes()
    assert found.trades.tobytes() == other.trades.tobytes()
    assert found.orders.tobytes() == other.orders.tobytes()
    np.testing.assert_array_equal(found.equity, other.equity[3::4])
    np.testing.assert_array_equal(found.held, other.held[3::4])


def test_a_bar_without_all_its_finer_ones_is_walked_as_it_is():
    fine = quarters(1)
    hours = resample(fine, "1h")
    batches = batches_of([hours], "1h")
    torn = replace(fine, time=np.delete(fine.time, [6, 100]),
                   values=np.delete(fine.values, [6, 100], axis=0))  # fmt: skip
    parts, drilled = finer_of([torn], ["A/USDT"], "1h", batches)
    assert (drilled.n_bars, drilled.n_all) == (98, 100)
    assert np.diff(parts.first)[[0, 1, 2, 25]].tolist() == [4, 0, 4, 0]
    np.testing.assert_array_equal(parts.opened[:8], np.r_[hours.time[0] + QUARTER * np.arange(4),
                                                          hours.time[2] + QUARTER * np.arange(4)])
    np.testing.assert_array_equal(parts.closed - parts.opened, QUARTER)


def test_symbols_without_finer_bars_are_walked_as_they_are():
    a, b = quarters(1), quarters(2, symbol="B/USDT")
    hours = [resample(a, "1h"), resample(b, "1h")]
    batches = batches_of(hours, "1h")
    parts, drilled = finer_of([b], ["A/USDT", "B/USDT"], "1h", batches)
    assert drilled.n_bars == 100
    counts = np.diff(parts.first)
    assert (counts[batches.symbol == 0] == 0).all()
    assert (counts[batches.symbol == 1] == 4).all()
    np.testing.assert_array_equal(parts.values, b.values)
    _, _, table = world(4, 100)
    mixed = execute(batches, table, setup_of(), 2, finer=parts)
    assert as_bytes(mixed) == as_bytes(execute(batches, table, setup_of(), 2))  # A alone trades


def test_what_cannot_be_inside_is_named():
    hours = bars_of([CALM] * 8)
    batches = batches_of([hours], "1h")
    with pytest.raises(ValueError, match="finer must be bars that make 1h, was 1h"):
        finer_of([hours], ["A/USDT"], "1h", batches)
    with pytest.raises(ValueError, match="finer must be of symbols of the run, was 'B/USDT'"):
        finer_of([quarters(1, symbol="B/USDT")], ["A/USDT"], "1h", batches)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 3)])
def test_bars_of_another_market_are_refused(row, column):
    fine = bars_of([CALM] * 8, step=QUARTER)
    batches = batches_of([resample(fine, "1h")], "1h")
    values = fine.values.copy()
    values[4 + row, column] += 0.5
    with pytest.raises(BarError, match="finer bars must make the bar of 2020-09-13T01:00Z"):
        finer_of([replace(fine, values=values)], ["A/USDT"], "1h", batches)
