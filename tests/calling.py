"""Calls made to order: seeded, with a known chance of being right."""

from collections.abc import Callable

import numpy as np

from opportunity.scoring.calls import NEVER, Calls, uniqueness

HOUR = 3_600_000
START = 1_600_000_000_000 // HOUR * HOUR


def made_calls(
    n: int = 5_000,
    seed: int = 1,
    chance: Callable[[np.ndarray], np.ndarray] = lambda strength: 0.5 + 0 * strength,
    life: int = 5,
    horizon: int = 24,
) -> Calls:
    """Hourly calls of one symbol; each is resolved up to `life` bars later, the last ones never."""
    rng = np.random.default_rng(seed)
    strength = rng.beta(1.0, 3.0, n)
    right = (rng.random(n) < chance(strength)).astype(float)
    resolved = np.arange(n) + rng.integers(1, life + 1, n)
    resolved[resolved >= n] = -1
    right[resolved < 0] = np.nan
    at = START + HOUR * np.arange(1, n + 1)
    return Calls(
        timeframe="1h", horizon=horizon, barrier=1.5, at=at,
        known=np.where(resolved >= 0, at[resolved], NEVER), strength=strength,
        confidence=rng.random(n), disagreement=rng.random(n) / 2, coverage=np.ones(n),
        final=(1 + strength) / 2, right=right, against=1 - right,
        weight=uniqueness(np.ones(n, np.bool_), resolved), pointed=strength >= 0.2,
    )
