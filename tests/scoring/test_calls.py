import numpy as np
import pytest
from builders import mirrored, random_bars
from calling import made_calls
from hypothesis import given
from hypothesis import strategies as st

from opportunity.scoring.barriers import outcomes
from opportunity.scoring.calls import NEVER, calls_of, pooled, uniqueness
from opportunity.scoring.ensemble import score


@pytest.fixture(scope="module")
def scores():
    return score(random_bars(900, seed=4))


def test_a_row_a_bar_with_what_was_called_and_how_it_turned_out(scores):
    calls = calls_of(scores)
    net = scores.net
    called = np.abs(net) > 0
    assert len(calls) == 900
    np.testing.assert_array_equal(np.isfinite(calls.strength), called)
    np.testing.assert_array_equal(calls.strength[called], np.abs(net[called]))
    np.testing.assert_array_equal(calls.final[called], 0.5 + np.abs(net[called]) / 2)
    np.testing.assert_array_equal(calls.at, scores.evidence.bars.close_time)
    np.testing.assert_array_equal(calls.pointed, scores.side != 0)
    found = outcomes(scores.evidence.bars, scores.evidence.atr)
    for side, right in ((1, found.right_if_long), (-1, found.right_if_short)):
        rows = np.sign(net) == side
        np.testing.assert_array_equal(calls.right[rows], right[rows])
    known = calls.resolved
    assert (calls.known[known] > calls.at[known]).all()
    assert (calls.known[~known] == NEVER).all()
    assert ((calls.right + calls.against)[known] <= 1).all()


def test_a_mirrored_market_has_the_same_calls():
    bars = random_bars(900, seed=4)
    one, other = calls_of(score(bars)), calls_of(score(mirrored(bars)))
    for name in ("strength", "confidence", "right", "against", "weight", "known", "pointed"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), min_size=1, max_size=30))
def test_uniqueness_is_the_mean_share_of_each_bar_lived(rows):
    n = len(rows)
    called = np.array([c for c, _ in rows])
    resolved = np.array([i + k if i + k < n else -1 for i, (_, k) in enumerate(rows)])
    lives = {
        i: range(i + 1, (resolved[i] if resolved[i] >= 0 else n - 1) + 1)
        for i in range(n) if called[i]
    }
    alive = [sum(b in life for life in lives.values()) for b in range(n)]
    found = uniqueness(called, resolved)
    for i in range(n):
        if called[i] and resolved[i] >= 0:
            assert found[i] == pytest.approx(np.mean([1 / alive[b] for b in lives[i]]))
        else:
            assert np.isnan(found[i])


def test_calls_that_do_not_overlap_count_whole_and_twins_half():
    called = np.array([True, False, True, False, False])
    np.testing.assert_array_equal(
        uniqueness(called, np.array([2, -1, 4, -1, -1])), [1, np.nan, 1, np.nan, np.nan]
    )
    everything = uniqueness(np.ones(100, np.bool_), np.r_[np.arange(10, 100), [-1] * 10])
    assert everything[50] == pytest.approx(0.1)  # ten of them alive at any time


def test_later_bars_never_change_the_weight_of_a_resolved_call(scores):
    whole = calls_of(scores)
    for cut in (300, 555, 871):
        part = calls_of(score(scores.evidence.bars[:cut]))
        rows = np.flatnonzero(part.resolved)
        np.testing.assert_allclose(part.weight[rows], whole.weight[rows], rtol=1e-12)


def test_pooled_calls_stand_one_symbol_after_the_other():
    one, other = made_calls(50, 1), made_calls(70, 2)
    both = pooled([one, other])
    assert len(both) == 120
    np.testing.assert_array_equal(both.strength, np.r_[one.strength, other.strength])
    np.testing.assert_array_equal(both.take(np.arange(50)).right, one.right)
    assert (both.timeframe, both.horizon) == ("1h", 24)


def test_what_differs_is_not_pooled():
    with pytest.raises(ValueError, match="must be of one symbol or more"):
        pooled([])
    with pytest.raises(ValueError, match="one timeframe, horizon and barrier"):
        pooled([made_calls(20), made_calls(20, horizon=12)])


def test_bars_without_a_timeframe_are_refused():
    bars = random_bars(150)
    unknown = score(type(bars)(bars.time, bars.values))
    with pytest.raises(ValueError, match="must have a timeframe"):
        calls_of(unknown)
