import numpy as np
import pytest

from opportunity.detectors.sentiment_maps import (
    change_worth,
    funding_worth,
    interest_worth,
    mood_worth,
    ratio_worth,
)


@pytest.mark.parametrize(
    ("x", "worth"),
    [(0, 0), (0.1, 0.1), (0.25, 0.25), (0.375, 0.125), (0.5, 0), (0.65, -0.25), (0.8, -0.5),
     (0.9, -0.6), (1, -0.7)],
)  # fmt: skip
def test_mood_goes_with_the_middle_and_against_the_ends(x, worth):
    assert mood_worth(float(x)) == pytest.approx(worth, abs=1e-12)
    assert mood_worth(-float(x)) == pytest.approx(-worth, abs=1e-12)


@pytest.mark.parametrize(
    ("points", "x", "worth"),
    [(10, 0, 0.4), (25, 0, 1), (60, 0, 1), (10, 0.7, 0.4), (10, 0.72, 0), (-10, 0.72, -0.4),
     (0, 0.9, 0)],
)  # fmt: skip
def test_change_counts_unless_an_extreme_grows(points, x, worth):
    assert change_worth(float(points), float(x)) == pytest.approx(worth)
    assert change_worth(-float(points), -float(x)) == pytest.approx(-worth)


@pytest.mark.parametrize(
    ("rank", "worth"), [(0, 0), (0.6, 0), (0.8, -0.5), (0.94, -0.85), (1, -1)]
)
def test_funding_counts_against_who_pays(rank, worth):
    assert funding_worth(float(rank)) == pytest.approx(worth)
    assert funding_worth(-float(rank)) == pytest.approx(-worth)


@pytest.mark.parametrize(
    ("z", "moved", "rank", "worth"),
    [
        (2, 5, 0, 0.5),
        (1, 5, np.nan, 0.25),
        (9, 5, 0.9, 0.5),
        (1, 5, 0.95, 0.25),  # crowded only above one deviation
        (1.5, 5, 0.95, -0.375),
        (1.5, -5, 0.95, -0.375),  # whichever way price went
        (1.5, np.nan, 0.95, -0.375),
        (2, 0, 0, 0),
        (0, 5, 0, 0),
        (-3, 5, 0.99, 0),
        (-3, np.nan, 0, 0),
    ],
)
def test_open_interest_continues_a_move_unless_it_is_a_crowd(z, moved, rank, worth):
    assert interest_worth(float(z), float(moved), float(rank)) == pytest.approx(worth)
    assert interest_worth(float(z), -float(moved), -float(rank)) == pytest.approx(-worth)


def test_open_interest_says_nothing_without_itself_or_the_price():
    assert np.isnan(interest_worth(np.nan, 1.0, 0.99))
    assert np.isnan(interest_worth(1.0, np.nan, 0.5))


@pytest.mark.parametrize(("z", "worth"), [(0, 0), (0.99, 0), (1, -0.4), (2, -0.8), (4, -1)])
def test_ratio_counts_against_the_crowd_beyond_one_deviation(z, worth):
    assert ratio_worth(float(z)) == pytest.approx(worth)
    assert ratio_worth(-float(z)) == pytest.approx(-worth)
