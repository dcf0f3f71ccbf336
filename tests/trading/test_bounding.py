import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_cases import FREE, setup_of, trade

from opportunity.trading.bounding import BOUNDS, Asked, binding, entry_bounds, kelly_fraction
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import UNLIMITED, RiskRecord
from opportunity.trading.rules import TradeRecord

CALM = (100, 101, 99, 100)
RISK = RiskRecord(
    max_position=0.3, max_leverage=3.0, max_volume=0.01, max_volatility=0.02, kelly=0.25,
    payoff=1.5,
)  # fmt: skip


def asked(sizing=None, risk=RISK, equity=10_000.0, gross=5_000.0, **said):
    given = {"price": 100.0, "distance": 4.0, "atr": 2.0, "volume": 50_000.0, "confidence": 0.5}
    terms = setup_of(risk=risk, sizing=sizing or Sizing.risk(0.01)).terms()
    return entry_bounds(Asked(equity, gross), terms, **(given | said))


def test_each_bound_by_hand():
    assert dict(zip(BOUNDS, asked().tolist(), strict=True)) == {
        "risk": 25.0,  # 100 lost at a stop 4 away
        "notional": 30.0,
        "leverage": 250.0,  # 30,000 less the 5,000 that are held
        "liquidity": 5.0,
        "volatility": 100.0,  # 200 moved by an ATR of 2
        # p = 0.5, (1.5 x 0.5 - 0.5) / 1.5 = 1/6 of the equity, a quarter of it, over 4
        "kelly": pytest.approx(10_000 * 0.25 / 6 / 4),
    }
    assert BOUNDS[binding(asked())] == "liquidity"
    assert asked(Sizing.fixed(0.2))[0] == 20.0
    assert asked(Sizing.notional(1_500))[0] == 15.0


@pytest.mark.parametrize(
    ("name", "said", "off"),
    [
        ("liquidity", {"volume": math.nan}, {"max_volume": 0.0}),
        ("volatility", {"atr": math.nan}, {"max_volatility": 0.0}),
        ("kelly", {"confidence": math.nan}, {"kelly": 0.0}),
    ],
)
def test_what_is_off_or_not_known_bounds_nothing(name, said, off):
    place = BOUNDS.index(name)
    assert asked(**said)[place] == math.inf
    assert asked(risk=RiskRecord(**off))[place] == math.inf
    others = np.delete(asked(), place)
    np.testing.assert_array_equal(np.delete(asked(**said), place), others)


def test_kelly_needs_a_stop():
    assert asked(Sizing.fixed(0.2), distance=0.0)[5] == math.inf


def test_a_market_in_which_nothing_was_traded_takes_nothing():
    assert asked(volume=0.0)[3] == 0.0


@pytest.mark.parametrize("equity", [0.0, -5.0, math.nan])
def test_without_equity_nothing_can_be_bought(equity):
    assert asked(equity=equity).tolist() == [0.0] * 6


def test_all_in_is_held_by_no_limit():
    found = asked(Sizing.all_in())
    assert found[0] == 50.0
    assert np.isinf(found[1:]).all()


@pytest.mark.parametrize(
    ("payoff", "confidence", "wanted"),
    [
        (1.5, 0.0, 0.0), (1.0, 1.0, 0.2), (1.0, 0.0, 0.0), (10.0, 1.0, 0.25), (0.1, 1.0, 0.0),
        (1.5, 1.0, 0.25),
    ],
)  # fmt: skip
def test_kelly_fraction_is_clipped(payoff, confidence, wanted):
    assert kelly_fraction(payoff, confidence) == pytest.approx(wanted, abs=1e-12)


NUMBERS = st.floats(0.1, 1e6)
SIZINGS = st.sampled_from([
    Sizing.risk(0.01), Sizing.risk(0.2, whole_units=True), Sizing.fixed(0.5),
    Sizing.notional(2_000.0), Sizing.fixed(1.0, whole_units=True), Sizing.all_in(),
])  # fmt: skip
RISKS = st.builds(
    RiskRecord, max_position=st.floats(0.001, 2.0), max_leverage=st.floats(0.001, 5.0),
    max_volume=st.sampled_from([0.0, 0.001, 0.01, 1.0]),
    max_volatility=st.sampled_from([0.0, 0.001, 0.1]), kelly=st.sampled_from([0.0, 0.05, 1.0]),
    payoff=st.floats(0.1, 10.0), max_daily_loss=st.just(1.0), max_drawdown=st.just(1.0),
)


@settings(max_examples=300, deadline=None)
@given(
    SIZINGS, RISKS, st.floats(0.5, 20.0), st.floats(1e3, 1e7) | st.just(math.nan),
    st.floats(0.0, 1.0) | st.just(math.nan), st.sampled_from([1, -1]), st.booleans(),
    st.sampled_from(["open", "close"]),
)  # fmt: skip
def test_what_is_bought_is_the_least_of_the_bounds(
    sizing, risk, atr, volume, confidence, side, held, fill
):
    """And the order tells which one; the same function asked from Python gives the same bits."""
    rules = TradeRecord(
        stop_atr=2.0, targets_r=(), shares=(), trail_atr=0.0, time_stop=0, fill=fill
    )
    setup = setup_of(rules, sizing=sizing, risk=risk, costs=Costs(0.001, 0.002))
    fields = {"atr": atr, "volume": volume, "confidence": confidence}
    ran = trade([CALM] * 4, (1, side, fields), setup=setup)
    found = entry_bounds(
        Asked(10_000.0, 0.0), setup.terms(), 100.0 * (1.0 + side * 0.002), 2.0 * atr, **fields
    )
    least = found.min()
    units = max(math.floor(least) if sizing.whole_units else least, 0.0)
    order = ran.orders[0]
    if units > 0:
        assert ran.fills["quantity"][0] == units
        assert order["bound"] == binding(found)
    else:
        assert ran.fills.size == 0
        assert order["bound"] == -1


def test_of_equal_bounds_the_first_holds():
    risk = RiskRecord(max_position=0.3, max_volume=0.01)
    found = asked(Sizing.fixed(0.3), risk, volume=300_000.0)
    assert found[:4].tolist() == [30.0, 30.0, 250.0, 30.0]
    assert binding(found) == 0


def test_unlimited_bounds_by_the_sizing_alone():
    found = asked(risk=UNLIMITED)
    assert binding(found) == 0
    assert np.isinf(found[3:]).all()


def test_exits_tell_no_bound():
    ran = trade([CALM] * 5, (0, 1), (2, -1), setup=setup_of(
        TradeRecord(stop_atr=1.0, targets_r=(), shares=()), costs=FREE
    ))  # fmt: skip
    assert ran.orders["bound"].tolist() == [0, -1, 0]
