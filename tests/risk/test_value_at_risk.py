import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolios import drawn
from scipy import stats

from opportunity.errors import CoverageError
from opportunity.risk.value_at_risk import (
    METHODS,
    Asked,
    cornish_fisher,
    historical,
    order_statistic,
    parametric,
    value_at_risk,
)

LEVELS = (0.9, 0.95, 0.975, 0.99)


def asked(method="parametric", level=0.95, horizon=1.0):
    return Asked(level, horizon, method)


def test_z_is_one_sided():
    assert Asked(0.95).z == pytest.approx(1.645, abs=5e-4)
    assert Asked(0.99).z == pytest.approx(2.326, abs=5e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_every_method_agrees_on_gaussian_returns(method, level):
    rng = np.random.default_rng(11)
    values = rng.standard_normal((200_000, 2)) @ np.diag([0.01, 0.02])
    weights = np.array([1_000.0, -500.0])
    sd = math.hypot(10.0, 10.0)
    found = value_at_risk(weights, values, asked(method, level))
    z = stats.norm.ppf(level)
    assert found.var == pytest.approx(z * sd, rel=0.02)
    assert found.es == pytest.approx(stats.norm.pdf(z) / (1 - level) * sd, rel=0.03)


def test_published_figures_of_a_normal():
    # Hull, Options, Futures and Other Derivatives: 10 million at 2 % a day, 99 %, 10 days.
    found = parametric(200_000.0, Asked(0.99, 10.0))
    assert found.var == pytest.approx(1_471_300, rel=1e-3)
    # McNeil, Frey and Embrechts, Quantitative Risk Management: shortfall of a standard normal.
    shortfall = [parametric(1.0, Asked(level)).es for level in (0.95, 0.975, 0.99)]
    assert shortfall == pytest.approx([2.06, 2.34, 2.67], abs=0.006)


def test_order_statistic_is_the_documented_row():
    losses = np.arange(1.0, 101.0)  # 1 ... 100
    assert order_statistic(losses, 0.95) == pytest.approx((95.0, 98.0))
    assert order_statistic(losses, 0.99) == pytest.approx((99.0, 100.0))
    # 97.5 % of 100 rows: the 98th; the tail is 99 and 100 and half of the 98.
    assert order_statistic(losses, 0.975) == pytest.approx((98.0, (100 + 99 + 0.5 * 98) / 2.5))


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=60), st.sampled_from(LEVELS))
def test_order_statistic_is_numpys_inverted_cdf_and_its_tail_mean(values, level):
    losses = np.array(values)
    var, es = order_statistic(losses, level)
    assert var == np.quantile(losses, level, method="inverted_cdf")
    tail, left = 0.0, losses.size * (1 - level)
    for loss in np.sort(losses)[::-1]:
        tail += min(left, 1.0) * loss
        left = max(left - 1.0, 0.0)
    assert es == pytest.approx(tail / (losses.size * (1 - level)), abs=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_losses_grow_with_the_level_and_shortfall_is_the_larger(method):
    values, weights = drawn(400, 3, seed=4), np.array([500.0, -300.0, 800.0])
    values = np.sinh(values * 15) / 15  # fatter tails, inside the domain of the expansion
    found = [value_at_risk(weights, values, asked(method, level)) for level in LEVELS]
    assert all(a.var < b.var and a.es < b.es for a, b in itertools.pairwise(found))
    assert all(one.es >= one.var for one in found)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15)
@given(scale=st.floats(0.01, 1_000))
def test_positive_homogeneity(method, scale):
    values, weights = np.sinh(drawn(400, 3, seed=4) * 15) / 15, np.array([500.0, -300.0, 800.0])
    one = value_at_risk(weights, values, asked(method))
    many = value_at_risk(scale * weights, values, asked(method))
    assert (many.var, many.es) == pytest.approx((scale * one.var, scale * one.es), rel=1e-9)


weight = st.floats(-1_000, 1_000)


@pytest.mark.parametrize("method", ["historical", "parametric"])
@given(st.tuples(weight, weight, weight), st.tuples(weight, weight, weight))
def test_shortfall_is_subadditive(method, one, other):
    values = drawn(120, 3) ** 3 * 1_000
    level = asked(method)
    a, b = np.array(one), np.array(other)
    parts = value_at_risk(a, values, level).es + value_at_risk(b, values, level).es
    assert value_at_risk(a + b, values, level).es <= parts + 1e-6


@pytest.mark.parametrize("method", ["historical", "parametric"])
def test_horizon_grows_by_its_root(method):
    values, weights = drawn(300, 2), np.array([100.0, 50.0])
    one = value_at_risk(weights, values, asked(method))
    ten = value_at_risk(weights, values, asked(method, horizon=10.0))
    assert (ten.var, ten.es) == pytest.approx(
        (one.var * math.sqrt(10), one.es * math.sqrt(10)), rel=1e-12
    )


def test_cornish_fisher_grows_normal_with_the_horizon():
    pnl = np.sinh(drawn(5_000, 1, seed=2)[:, 0] * 20)
    ratio = [
        cornish_fisher(pnl, asked("cornish_fisher", 0.99, h)).var
        / parametric(float(pnl.std()), asked("parametric", 0.99, h)).var
        for h in (1.0, 10.0, 10_000.0)
    ]
    assert ratio[0] > ratio[1] > 1
    assert ratio[2] == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_held_loses_nothing(method):
    found = value_at_risk(np.zeros(2), drawn(40, 2), asked(method))
    assert (found.var, found.es) == (0.0, 0.0)


def test_what_never_moves_loses_nothing():
    for method in METHODS:
        found = value_at_risk(np.ones(2), np.zeros((100, 2)), asked(method))
        assert (found.var, found.es) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("method", "level", "rows", "least"),
    [("parametric", 0.95, 29, 30), ("monte_carlo", 0.95, 29, 30), ("historical", 0.95, 29, 30),
     ("historical", 0.99, 99, 100), ("cornish_fisher", 0.95, 29, 30)],
)  # fmt: skip
def test_too_few_rows_name_the_least(method, level, rows, least):
    with pytest.raises(CoverageError, match=f"at least {least} rows for .*were {rows}"):
        value_at_risk(np.ones(2), drawn(rows, 2), asked(method, level))
    enough = stats.laplace.ppf((np.arange(least) + 0.5) / least)[:, None] * [0.01, 0.02]
    value_at_risk(np.ones(2), enough, asked(method, level))


def test_fat_tails_are_refused_by_the_expansion_only():
    pnl = np.append(drawn(500, 1)[:, 0], -0.5)  # one crash
    with pytest.raises(ValueError, match="Cornish-Fisher"):
        cornish_fisher(pnl, asked("cornish_fisher"))
    assert historical(pnl, asked("historical")).var > 0


@pytest.mark.parametrize(
    ("given_", "text"),
    [((1.0,), "level"), ((0.5,), "level"), ((math.nan,), "level"), ((0.95, 0.0), "horizon"),
     ((0.95, math.inf), "horizon"), ((0.95, 1.0, "historic"), "Did you mean 'historical'")],
)  # fmt: skip
def test_bad_questions_are_refused(given_, text):
    with pytest.raises(ValueError, match=text):
        Asked(*given_)


def test_shapes_must_fit():
    with pytest.raises(ValueError, match="shape"):
        value_at_risk(np.ones(3), drawn(40, 2), asked())
