"""How large an entry is and in which order entries fill, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from trading_cases import FREE, PLAIN, bars_of, prices, setup_of, statuses, trade

from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import UNLIMITED

CALM = (100, 101, 99, 100)
STOPPED = (100, 101, 85, 86)


def units(sizing, risk=UNLIMITED, rules=PLAIN, costs=FREE, side=1, **fields):
    """How large the entry at 100 is; 0 where it is refused."""
    setup = setup_of(rules, sizing=sizing, risk=risk, costs=costs)
    ran = trade([CALM, CALM, CALM], (0, side, fields), setup=setup)
    return prices(ran)[0][2] if ran.fills.size else 0.0


@pytest.mark.parametrize("side", [1, -1])
def test_sizes(side):
    assert units(Sizing.risk(0.01), side=side) == 10.0  # loses 100 at a stop 10 away
    assert units(Sizing.risk(0.01), side=side, atr=4.0) == 25.0
    assert units(Sizing.fixed(0.2), side=side) == 20.0
    assert units(Sizing.notional(1_550), side=side) == 15.5
    assert units(Sizing.notional(1_550, whole_units=True), side=side) == 15.0
    assert units(Sizing.all_in(), side=side) == 100.0
    assert units(Sizing.notional(99, whole_units=True), side=side) == 0.0


@pytest.mark.parametrize("side", [1, -1])
def test_the_least_bound_counts(side):
    risk = replace(UNLIMITED, max_position=0.05)
    assert units(Sizing.risk(0.01), risk, side=side) == 5.0
    assert units(Sizing.risk(0.001), risk, side=side) == 1.0
    assert units(Sizing.notional(1e9), replace(UNLIMITED, max_leverage=1.5), side=side) == 150.0
    assert units(Sizing.fixed(1.0), replace(UNLIMITED, max_leverage=0.5), side=side) == 50.0
    assert units(Sizing.all_in(), risk, side=side) == 100.0  # no limit caps it


def test_costs_are_counted_in():
    price = 100 * 1.02
    assert units(Sizing.all_in(), costs=Costs(0.01, 0.02)) == pytest.approx(
        10_000 / (price * 1.01)
    )
    assert units(Sizing.fixed(0.2), costs=Costs(0.01, 0.02)) == pytest.approx(2_000 / price)
    assert units(Sizing.fixed(0.2), costs=Costs(0.01, 0.02), side=-1) == pytest.approx(2_000 / 98)


@pytest.mark.parametrize("atr", [np.nan, 0.0])
@pytest.mark.parametrize("sizing", [Sizing.risk(), Sizing.fixed(0.1), Sizing.all_in()])
def test_without_a_range_there_is_no_stop_and_so_no_entry(atr, sizing):
    assert units(sizing, atr=atr) == 0.0
    assert units(sizing, rules=replace(PLAIN, fill="limit"), atr=atr) == 0.0


def test_without_a_stop_no_range_is_asked_for_but_for_a_limit():
    rules = replace(PLAIN, stop_atr=0.0)
    assert units(Sizing.fixed(0.1), rules=rules, atr=np.nan) == 10.0
    assert units(Sizing.fixed(0.1), rules=replace(rules, fill="limit"), atr=np.nan) == 0.0


def test_what_is_refused_is_told():
    setup = setup_of(sizing=Sizing.notional(99, whole_units=True))
    ran = trade([CALM, CALM, CALM], (0, 1), setup=setup)
    assert statuses(ran) == ["too small"]
    assert ran.account["n_open"][0] == 0
    again = trade([CALM, CALM, CALM], (0, 1, {"flagged": 1}))
    assert statuses(again) == ["gap"]


def test_leverage_counts_what_others_hold_at_their_marks():
    a = bars_of([CALM, CALM, (100, 121, 99, 120), CALM, CALM])
    b = bars_of([CALM] * 5, "B/USDT")
    setup = setup_of(
        sizing=Sizing.notional(10_000), risk=replace(UNLIMITED, max_leverage=1.5)
    )
    ran = trade([a, b], (0, 1, {"symbol": 0}), (2, 1, {"symbol": 1}), setup=setup)
    first, second = prices(ran)[:2]
    assert first[2] == 100.0
    # At its newest close A is worth 12,000 and the equity 12,000: 18,000 - 12,000 are left.
    assert second[2] == 60.0


def test_everything_is_put_into_one_position():
    a, b = bars_of([CALM] * 4), bars_of([CALM] * 4, "B/USDT")
    setup = setup_of(sizing=Sizing.all_in())
    ran = trade([a, b], (0, 1, {"symbol": 0, "key": 1}), (0, 1, {"symbol": 1, "key": 2}),
                setup=setup)  # fmt: skip
    assert [(f["symbol"], f["quantity"]) for f in ran.fills[:1]] == [(1, 100.0)]
    assert statuses(ran) == ["filled", "too small"]
    half = replace(setup, sizing=Sizing.fixed(1.0))  # each of the whole equity: up to leverage
    assert trade([a, b], (0, 1, {"symbol": 0}), (0, 1, {"symbol": 1}), setup=half).held[1] == 2e4


def test_better_ranks_fill_first_and_ties_go_by_symbol():
    bars = [bars_of([CALM] * 4, f"{name}/USDT") for name in "ABC"]
    setup = setup_of(sizing=Sizing.notional(1_000), risk=replace(UNLIMITED, max_positions=2))
    said = [(0, 1, {"symbol": s, "key": key}) for s, key in enumerate((0.5, 0.7, 0.5))]
    ran = trade(bars, *said, setup=setup)
    assert ran.orders["symbol"].tolist() == [1, 0, 2]
    assert statuses(ran) == ["filled", "filled", "max_positions"]
    assert ran.fills["symbol"][:2].tolist() == [1, 0]
    free = trade(bars, *said, setup=setup_of(sizing=Sizing.notional(1_000)))
    assert free.fills["symbol"][:3].tolist() == [1, 0, 2]
