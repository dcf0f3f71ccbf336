import json

import numpy as np
import pytest

from opportunity.trading.bounds import check_bounds, check_number, plain_values


@pytest.mark.parametrize("value", [1, 1.5, np.float64(2), np.int64(3), float("nan")])
def test_numbers_are_numbers(value):
    check_number("fee", value)


@pytest.mark.parametrize("value", [True, "1", None, [1], np.bool_(1), 1j])
def test_what_is_no_number_is_named(value):
    with pytest.raises(TypeError, match="fee must be a number, was "):
        check_number("fee", value)


def test_bounds_include_both_ends():
    for value in (0.5, 1.0):
        check_bounds({"min_score": value}, {"min_score": (0.5, 1.0)})
    for value in (0.49, 1.01, float("nan")):
        with pytest.raises(ValueError, match=f"min_score must be in 0.5..1, was {value}"):
            check_bounds({"min_score": value}, {"min_score": (0.5, 1.0)})


def test_counts_are_whole():
    check_bounds({"time_stop": 3.0}, {"time_stop": (0, 10)})
    with pytest.raises(ValueError, match=r"time_stop must be a whole number, was 3.5"):
        check_bounds({"time_stop": 3.5}, {"time_stop": (0, 10)})


def test_numbers_become_plain_whatever_they_came_as():
    values = {
        "time_stop": np.int64(5), "fee": np.float32(0.5), "cash": 5, "shares": (np.float64(1), 2),
        "opposite": np.True_, "fill": "open", "direction": None,
    }  # fmt: skip
    found = plain_values(values)
    assert json.dumps(found) == (
        '{"time_stop": 5, "fee": 0.5, "cash": 5.0, "shares": [1.0, 2.0], "opposite": true, '
        '"fill": "open", "direction": null}'
    )
