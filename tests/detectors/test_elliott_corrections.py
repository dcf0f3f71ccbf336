from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pytest

from opportunity.detectors.elliott_corrections import NONE, correction, triangle, wave_c
from opportunity.detectors.elliott_kinds import (
    BARRIER,
    EXPANDED,
    EXPANDING,
    FLAT,
    RUNNING,
    TRIANGLE,
    WAVE_C,
    WAVE_C_FLAT,
    ZIGZAG,
)
from opportunity.detectors.elliott_rules import POINTS


def points(waves: Sequence[float]) -> np.record:
    """Points from the lengths of legs that rise and fall in turn."""
    p = np.zeros(1, POINTS)
    steps = [w if i % 2 == 0 else -w for i, w in enumerate(waves)]
    p["n"], p["side"] = len(waves) + 1, 1
    p["price"][0, : len(waves) + 1] = list(accumulate(steps, initial=100.0))
    return p[0]


@pytest.mark.parametrize(
    ("b", "kind"),
    [
        (0.37, NONE), (0.383, WAVE_C), (0.55, WAVE_C), (0.785, WAVE_C), (0.80, NONE),
        (0.89, NONE), (0.91, WAVE_C_FLAT), (1.2, WAVE_C_FLAT), (1.38, WAVE_C_FLAT), (1.39, NONE),
    ],
)  # fmt: skip
def test_wave_c_is_expected_after_a_b_of_the_right_depth(b, kind):
    found, value = wave_c(points((100.0, 100.0 * b)))
    assert found == kind
    assert 0 <= value <= 1
    assert value > 0 or kind == NONE


@pytest.mark.parametrize(
    ("b", "c", "kind"),
    [
        (0.55, 1.0, ZIGZAG),
        (0.55, 1.617, ZIGZAG),
        (0.55, 1.63, NONE),
        (0.55, 0.54, NONE),  # C not past the end of A
        (0.40, 0.62, ZIGZAG),
        (0.40, 0.61, NONE),
        (0.37, 1.0, NONE),
        (0.82, 1.0, NONE),
        (0.97, 1.05, FLAT),
        (0.91, 1.37, FLAT),
        (0.91, 1.39, NONE),
        (0.97, 0.91, FLAT),
        (1.236, 1.618, EXPANDED),
        (1.236, 2.01, NONE),
        (1.39, 1.618, NONE),
        (1.236, 1.237, EXPANDED),
        (1.236, 1.235, RUNNING),
        (1.2, 0.9, RUNNING),
        (1.2, 0.61, NONE),
    ],
)
def test_correction_by_the_lengths_of_b_and_c(b, c, kind):
    found, value = correction(points((100.0, 100.0 * b, 100.0 * c)))
    assert found == kind
    assert (value == 0) if kind == NONE else (0 < value <= 1)


def test_ideal_corrections_fit_perfectly():
    ideal = ((0.55, 1.0), (1.0, 1.0), (1.236, 1.618), (1.236, 0.9))
    for b, c in ideal:
        assert correction(points((64.0, 64.0 * b, 64.0 * c)))[1] == pytest.approx(1.0)


def legs(ratio: float, first: float = 100.0) -> list[float]:
    return [first * ratio**i for i in range(5)]


@pytest.mark.parametrize(
    ("ratio", "kind"),
    [
        (0.49, NONE), (0.51, TRIANGLE), (0.7, TRIANGLE), (0.89, TRIANGLE), (0.91, NONE),
        (1.04, NONE), (1.06, EXPANDING), (1.3, EXPANDING), (1.6, EXPANDING), (1.63, NONE),
    ],
)  # fmt: skip
def test_triangle_by_the_ratio_of_its_legs(ratio, kind):
    found, value = triangle(points(legs(ratio)), 0.5)
    assert found == kind
    assert value > 0 or kind == NONE
    assert value <= 1


def test_ideal_triangles_fit_perfectly():
    assert triangle(points(legs(0.7)), 0.5)[1] == pytest.approx(1.0)
    assert triangle(points(legs(1.3)), 0.5)[1] == pytest.approx(1.0)
    assert triangle(points((100, 70, 50, 50, 35)), 0.5)[1] == pytest.approx(1.0)


def test_one_leg_outside_its_bounds_is_no_triangle():
    for i in range(1, 5):
        shape = legs(0.7)
        shape[i] *= 0.6
        assert triangle(points(shape), 0.01)[0] == NONE


def test_level_ends_of_b_and_d_are_a_barrier_measured_in_atr():
    shape = (100.0, 70.0, 50.0, 49.8, 35.0)
    assert triangle(points(shape), 1.0)[0] == BARRIER
    assert triangle(points(shape), 0.5)[0] == NONE
    assert triangle(points((100.0, 70.0, 50.0, 50.2, 35.0)), 1.0)[0] == BARRIER
