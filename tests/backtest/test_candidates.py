import math
from types import SimpleNamespace

import numpy as np
import pytest

from opportunity.backtest.candidates import (
    active_detectors,
    checked_matrix,
    equal_weights,
    from_cube,
    grid_weights,
    random_weights,
)

ALL = np.ones(9, np.bool_)
SIX = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0], np.bool_)


@pytest.mark.parametrize("active", [ALL, SIX], ids=["all", "six"])
@pytest.mark.parametrize("draw", [lambda a: random_weights(500, a, 3),
                                  lambda a: grid_weights(500, a)])  # fmt: skip
def test_vectors_lie_on_the_simplex_and_begin_with_equal_weights(draw, active):
    matrix = draw(active)
    assert 1 < len(matrix) <= 500
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    assert (matrix >= 0).all()
    assert (matrix[:, ~active] == 0).all()
    np.testing.assert_array_equal(matrix[0], equal_weights(active))
    assert len(np.unique(matrix, axis=0)) == len(matrix)


@pytest.mark.parametrize(("n", "steps"), [(496, 4), (3_004, 6), (12_871, 8), (12_870, 7)])
def test_grid_is_as_fine_as_asked(n, steps):
    matrix = grid_weights(n, ALL)
    assert len(matrix) == math.comb(steps + 8, 8) + 1
    np.testing.assert_allclose(matrix[1:] * steps, np.round(matrix[1:] * steps), atol=1e-12)


def test_grid_of_one_vector_or_one_detector_ends():
    assert len(grid_weights(1, ALL)) == 1
    one = np.arange(9) == 4
    np.testing.assert_array_equal(grid_weights(1_000, one), [one.astype(float)])


def test_grid_holds_equal_weights_once_where_it_has_them_itself():
    matrix = grid_weights(10_000, np.arange(9) < 2)
    assert (np.abs(matrix - matrix[0]).max(axis=1) < 1e-9).sum() == 1


def test_random_vectors_are_even_and_seeded():
    matrix = random_weights(20_000, ALL, 5)
    np.testing.assert_allclose(matrix.mean(axis=0), 1 / 9, atol=0.003)
    # Each weight of an even draw follows Beta(1, 8): variance 8 / (81 * 10).
    np.testing.assert_allclose(matrix[1:].var(axis=0), 8 / 810, rtol=0.05)
    np.testing.assert_array_equal(matrix, random_weights(20_000, ALL, 5))
    assert not np.array_equal(matrix, random_weights(20_000, ALL, 6))


def test_cube_to_simplex():
    points = np.array([[0.5] * 6, [1.0] * 6, [0.0] + [1.0] * 5])
    matrix = from_cube(points, SIX)
    np.testing.assert_allclose(matrix[0], equal_weights(SIX))
    np.testing.assert_allclose(matrix[1], equal_weights(SIX))
    np.testing.assert_allclose(matrix[2], np.eye(9)[0])
    even = from_cube(np.random.default_rng(1).random((20_000, 9)), ALL)
    np.testing.assert_allclose(even.var(axis=0), 8 / 810, rtol=0.05)


def test_detectors_without_data_are_not_searched():
    history = SimpleNamespace(
        exists_from=np.array([0, 500, 1_000, 2**63 - 1]),
        batches=SimpleNamespace(time=np.array([1, 1_000])),
    )
    assert active_detectors(history).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: random_weights(0, ALL, 1), "n must be 1 to"),
        (lambda: grid_weights(10**9, ALL), "n must be 1 to"),
        (lambda: equal_weights(~ALL), "a detector or more"),
        (lambda: checked_matrix(np.ones(9)), r"shape \(n, 9\)"),
        (lambda: checked_matrix(np.ones((2, 8))), r"shape \(n, 9\)"),
        (lambda: checked_matrix(np.full((2, 9), -1.0)), "finite and >= 0"),
        (lambda: checked_matrix(np.zeros((2, 9))), "in row 0"),
    ],
)
def test_what_is_no_set_of_weights_is_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
