import numpy as np
import pytest

from opportunity.detectors.sentiment_tone import MARKET_SHARE, Tones
from opportunity.market.timeframe import DAY_MS, HOUR_MS

MEMORY = 92 * DAY_MS


def asked(tones: Tones, hours, key=0) -> np.ndarray:
    closed = (np.asarray(hours, np.float64) * HOUR_MS).astype(np.int64)
    out = np.empty((closed.size, 2))
    tones.write(np.full(closed.size, key), closed, MEMORY, out)
    return out


def test_one_headline_speaks_until_it_is_stale():
    tones = Tones(2)
    tones.add((0,), 10 * HOUR_MS, -0.6)
    found = asked(tones, [9, 10, 22, 58, 59, 10 + 92 * 24 + 1])
    np.testing.assert_allclose(found[:, 0], [np.nan, -0.6, -0.6, -0.6, np.nan, np.nan])
    np.testing.assert_allclose(found[:, 1], [np.nan, 1, 0.5, 1 / 16, 0, np.nan])
    assert np.isnan(asked(tones, [10], key=1)).all()


def test_mean_weighs_by_age_and_the_market_less():
    rng = np.random.default_rng(3)
    tones = Tones(2)
    items = []
    for hour in np.sort(rng.uniform(0, 200, 60)):
        keys = ((), (0,), (1,), (0, 1))[rng.integers(4)]
        tone = rng.uniform(-1, 1)
        tones.add(keys, int(hour * HOUR_MS), tone)
        items.append((int(hour * HOUR_MS) / HOUR_MS, keys, tone))
    for key in (0, 1):
        for at in (20.0, 60.0, 199.0, 230.0):
            total = weight = 0.0
            for of, share in ((key, 1.0), (None, MARKET_SHARE)):
                mine = [
                    (h, t) for h, keys, t in items
                    if h <= at and (of in keys if of is not None else not keys)
                ]  # fmt: skip
                newest = max((h for h, _ in mine), default=-np.inf)
                for h, t in mine:
                    # the window of 48 hours ends with the newest item of its kind
                    if h >= newest - 48 and at - newest <= 48:
                        w = share * 2 ** (-(at - h) / 12)
                        total, weight = total + w * t, weight + w
            found = asked(tones, [at], key)[0, 0]
            assert found == pytest.approx(total / weight, abs=1e-12)


def test_forgetting_changes_no_later_answer():
    kept, short = Tones(1), Tones(1)
    for hour in range(0, 400, 7):
        for tones in (kept, short):
            tones.add((0,) if hour % 2 else (), hour * HOUR_MS, np.sin(hour))
        short.forget(hour * HOUR_MS)
        later = hour + np.arange(0, 60, 3.5)
        np.testing.assert_array_equal(asked(short, later), asked(kept, later))
    assert max(len(items) for items in short._items.values()) <= 8
