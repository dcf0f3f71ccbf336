"""Drawn turns of a trend with noise, at random scale, lead-in trend and time stretch."""

import numpy as np
import pytest
from builders import mirrored, planted

from opportunity.detectors.sar import Sar
from opportunity.market.bars import Bars

LEAD = 150
WITHIN = 8
"""Bars after the corner by which the stop must have changed sides."""

TURN = ((0, 0), (40, 36), (80, 0))
PAUSE = ((0, 0), (40, 40), (41, 39), (81, 79))  # one bar back: the stop is 4 ATR away


def draw(corners: tuple, noise: float, seed: int) -> tuple[Bars, int, int]:
    """Return a drawing, upside down for odd seeds, the bar of its corner, and the first side."""
    rng = np.random.default_rng(seed)
    stretch = float(rng.uniform(0.7, 1.4))
    bars = planted(
        corners, noise=noise, scale=float(2.0 ** rng.uniform(-4, 8)),
        trend=float(rng.uniform(-0.3, 0.3)), stretch=stretch, lead=LEAD, seed=seed,
    )  # fmt: skip
    side = -1 if seed % 2 else 1
    return mirrored(bars) if side < 0 else bars, LEAD + round(corners[1][0] * stretch), side


def recall(noise: float, seeds: range) -> tuple[float, float, float]:
    """Share of turns flipped in time, share of these still right, and the median lag in bars.

    A flip counts if it comes after the corner and on the new side, and is right if stop and
    score have that side at the end of the window.
    """
    found = right = 0
    lags = []
    for seed in seeds:
        bars, corner, side = draw(TURN, noise, seed)
        result = Sar().detect(bars)
        turns = [
            e.bar - corner for e in result.events
            if e.state == "active" and e.side == -side and 0 < e.bar - corner <= WITHIN
        ]  # fmt: skip
        found += bool(turns)
        end = corner + WITHIN
        below = np.sign(bars.close[end] - result.outputs["stop"][end])
        right += bool(turns) and below == np.sign(result.score[end]) == -side
        lags += turns[:1]
    return found / len(seeds), right / max(found, 1), float(np.median(lags))


@pytest.mark.parametrize(("noise", "least"), [(0.0, 0.9), (0.25, 0.75)])
def test_drawn_turns_flip_the_stop_in_time(noise, least):
    found, right, lag = recall(noise, range(120))
    assert found >= least
    assert right >= 0.99
    assert 2 <= lag <= 5


def test_pauses_do_not_flip_the_stop():
    for seed in range(60):
        bars, corner, side = draw(PAUSE, 0.0, seed)
        result = Sar().detect(bars)
        assert [e for e in result.events if corner - 5 <= e.bar <= corner + 20] == [], seed
        assert (side * result.score[corner : corner + 20] > 0).all()
