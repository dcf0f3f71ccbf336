import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import NAMES, held_in, market

from opportunity.risk.assessment import (
    POINTS,
    RiskScore,
    fraction_of,
    highest_pair,
    level_of,
    score_of,
)
from opportunity.risk.exposure import exposure_of
from opportunity.risk.value_at_risk import Tail


def scored(notionals, var, drawdown=0.0, returns=None):
    held = held_in(market() if returns is None else returns, notionals)
    return score_of(held, Tail(var, var), exposure_of(held), drawdown)


def test_points_add_up_to_a_hundred():
    assert sum(POINTS.values()) == 100


def test_nothing_held_at_the_peak_is_no_risk():
    assert scored({}, 0.0).total == 0
    assert scored({}, 0.0).level == "LOW"


def test_parts_are_what_is_documented():
    parts = scored({"BTC/USDT": 5_000.0}, 500.0, 0.05).parts
    assert parts["var"] == pytest.approx(15)  # 5 % of 10 %
    assert parts["concentration"] == pytest.approx(12.5)  # one asset, half the equity
    assert parts["correlation"] == 0
    assert parts["drawdown"] == pytest.approx(5)
    two = scored({"BTC/USDT": 5_000.0, "ETH/USDT": 5_000.0}, 500.0)
    assert two.parts["concentration"] == pytest.approx(12.5)
    assert two.parts["correlation"] == pytest.approx(25 * 0.5, abs=3)  # drawn with rho 0.5
    hedged = scored({"BTC/USDT": 5_000.0, "ETH/USDT": -5_000.0}, 500.0)
    assert hedged.parts["correlation"] == 0


@given(st.lists(st.floats(-1e5, 1e5), min_size=5, max_size=5), st.floats(0, 1e6), st.floats(0, 1))
def test_the_score_stays_within_its_range(notionals, var, drawdown):
    found = scored(dict(zip(NAMES, notionals, strict=True)), var, drawdown)
    assert 0 <= found.total <= 100 + 1e-9
    assert all(0 <= points <= POINTS[name] + 1e-9 for name, points in found.parts.items())


@given(st.floats(0, 5_000), st.floats(0, 5_000), st.floats(0, 1), st.floats(0, 1))
def test_more_risk_never_scores_less(var, more, drawdown, deeper):
    held = {"BTC/USDT": 3_000.0}
    one, other = scored(held, var, drawdown), scored(held, var + more, max(drawdown, deeper))
    assert other.total >= one.total


def test_an_unknown_part_makes_the_score_unknown():
    found = scored({"BTC/USDT": 5_000.0}, math.nan)
    assert math.isnan(found.total)
    assert found.level is None


@pytest.mark.parametrize(
    ("score", "level"),
    [(0, "LOW"), (24.9, "LOW"), (25, "MEDIUM"), (50, "HIGH"), (75, "CRITICAL"), (100, "CRITICAL"),
     (math.nan, None)],
)  # fmt: skip
def test_levels(score, level):
    assert level_of(score) == level
    assert RiskScore({"var": score}).level == level


def test_fractions_of_no_equity_are_infinite():
    assert fraction_of(5.0, 10.0) == 0.5
    assert fraction_of(0.0, 0.0) == 0
    assert fraction_of(5.0, -1.0) == math.inf
    assert math.isnan(fraction_of(math.nan, 0.0))


def test_the_pair_most_alike_knows_sides():
    held = held_in(market(), {"BTC/USDT": 1.0, "ETH/USDT": -1.0, "SOL/USDT": -2.0})
    one, other, value = highest_pair(held, exposure_of(held))
    assert {one, other} == {"ETH/USDT", "SOL/USDT"}
    assert value == pytest.approx(exposure_of(held).correlation[1, 2])
    single = held_in(market(), {"BTC/USDT": 1.0})
    assert highest_pair(single, exposure_of(single)) is None
    unknown = held_in(None, {"BTC/USDT": 1.0, "ETH/USDT": 1.0})
    assert highest_pair(unknown, exposure_of(unknown)) is None
    assert np.isfinite(value)
