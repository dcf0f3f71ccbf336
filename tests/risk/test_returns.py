import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import END, bars_of, drawn

from opportunity.errors import CoverageError
from opportunity.market.timeframe import DAY_MS
from opportunity.risk.returns import require_rows, returns_of


def test_returns_are_those_the_closes_were_made_of():
    values = drawn(50, 2)
    found = returns_of([bars_of("A/USDT", values[:, 0]), bars_of("B/USDT", values[:, 1])])
    np.testing.assert_allclose(found.values, values, atol=1e-12)
    assert found.symbols == ("A/USDT", "B/USDT")
    assert found.time[-1] == END - DAY_MS
    assert (found.source, found.timeframe, found.bars_per_day) == ("simulated", "1d", 1.0)


def test_log_returns_are_the_logarithms():
    bars = [bars_of("A/USDT", drawn(50, 1)[:, 0])]
    simple, log = returns_of(bars), returns_of(bars, "log")
    np.testing.assert_allclose(log.values, np.log1p(simple.values), atol=1e-14)
    np.testing.assert_allclose(log.windows(5), simple.windows(5), atol=1e-12)


@given(st.sets(st.integers(1, 38), max_size=8), st.sets(st.integers(1, 38), max_size=8))
def test_a_hole_costs_rows_and_is_never_filled(first, second):
    values = drawn(40, 2)
    whole = [bars_of(n, values[:, i]) for i, n in enumerate(("A/USDT", "B/USDT"))]
    holed = []
    for bars, holes in zip(whole, (first, second), strict=True):
        keep = [i for i in range(len(bars)) if i not in holes]
        holed.append(type(bars)(
            bars.time[keep], bars.values[keep], bars.timeframe, bars.symbol, bars.source
        ))  # fmt: skip
    gone = first | second
    rows = [i for i in range(1, 41) if i not in gone and i - 1 not in gone]
    found = returns_of(holed)
    np.testing.assert_array_equal(found.time, whole[0].time[rows])
    np.testing.assert_allclose(found.values, values[[r - 1 for r in rows]], atol=1e-12)


def test_a_young_symbol_shortens_the_common_span():
    values = drawn(60, 2)
    found = returns_of([bars_of("A/USDT", values[:, 0]), bars_of("B/USDT", values[-20:, 1])])
    np.testing.assert_allclose(found.values, values[-20:], atol=1e-12)


def test_pick_takes_columns_by_name():
    values = drawn(40, 3)
    found = returns_of([bars_of(f"{n}/USDT", values[:, i]) for i, n in enumerate("ABC")])
    np.testing.assert_array_equal(found.pick(["C/USDT", "A/USDT"]), found.values[:, [2, 0]])
    with pytest.raises(ValueError, match="Did you mean 'A/USDT'"):
        found.pick(["A/USD"])


def test_windows_compound_and_never_cross_a_hole():
    values = drawn(40, 1)
    bars = bars_of("A/USDT", values[:, 0])
    found = returns_of([bars]).windows(7)
    wanted = [np.prod(1 + values[i : i + 7, 0]) - 1 for i in range(34)]
    np.testing.assert_allclose(found[:, 0], wanted, atol=1e-12)
    keep = [i for i in range(41) if i != 20]
    holed = type(bars)(bars.time[keep], bars.values[keep], "1d", "A/USDT")
    part = returns_of([holed]).windows(7)
    starts = [i for i in range(34) if i + 7 < 20 or i > 20]
    np.testing.assert_allclose(part[:, 0], [wanted[i] for i in starts], atol=1e-12)
    assert returns_of([bars]).windows(41).shape == (0, 1)
    with pytest.raises(ValueError, match="n_bars must be >= 1"):
        returns_of([bars]).windows(0)


@pytest.mark.parametrize(
    ("bars", "text"),
    [
        ([], "one symbol or more"),
        ([bars_of("A/USDT", drawn(9, 1)[:, 0]), bars_of("A/USDT", drawn(9, 1)[:, 0])], "different"),
        ([bars_of("A/USDT", drawn(9, 1)[:, 0]), bars_of("B/USDT", drawn(9, 1)[:, 0], "1h")],
         "one known timeframe, were of 1d, 1h"),
        ([bars_of("A/USDT", -np.ones(9))], "finite and > 0"),
    ],
)
def test_bars_that_do_not_fit_are_refused(bars, text):
    with pytest.raises(ValueError, match=text):
        returns_of(bars)


def test_times_must_ascend_and_kinds_be_known():
    bars = bars_of("A/USDT", drawn(9, 1)[:, 0])
    turned = type(bars)(bars.time[::-1], bars.values, "1d", "A/USDT")
    with pytest.raises(ValueError, match="must ascend"):
        returns_of([turned])
    with pytest.raises(ValueError, match="Did you mean 'simple'"):
        returns_of([bars], "simpl")


def test_too_few_rows_name_the_least():
    with pytest.raises(CoverageError, match="at least 30 rows for a risk, were 29"):
        require_rows(29)
    require_rows(30)
