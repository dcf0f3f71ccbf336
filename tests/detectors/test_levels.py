"""The map of levels, driven by hand: ATR is 1 throughout."""

import numpy as np
import pytest

from opportunity.detectors import PriceAction
from opportunity.detectors.events import STATES
from opportunity.detectors.levels import LEVEL, N_BANDS, add_pivot, bands_step, is_supported
from opportunity.detectors.price_action import STATE
from opportunity.detectors.swings import PIVOT

P = PriceAction().packed


class Map:
    """A map of levels on one side; prices of the other side are negated."""

    def __init__(self, side=1):
        self.s = np.zeros(1, STATE)[0]
        self.side = side
        self.n = 100

    def pivot(self, price, side, weight=2.0, close=None):
        """Confirm a pivot, by default at a close 3 away from it."""
        pivot = np.zeros(1, PIVOT)[0]
        pivot["price"] = self.side * price
        pivot["side"] = self.side * side
        close = price - 3 * side if close is None else close
        add_pivot(self.s, P, pivot, weight, self.n, self.n, self.side * close, 1.0)

    def close(self, price, bars=1):
        """Advance by bars that close at `price`; return what was reported on the last."""
        for _ in range(bars):
            self.n += 1
            self.s["n_events"] = 0
            bands_step(self.s, P, self.n, self.n, self.side * price, 1.0)
        seen = self.s["events"][: self.s["n_events"]]
        return [(self.side * int(e["side"]), STATES[e["state"]]) for e in seen]

    @property
    def bands(self):
        """Centre, role and strength as of their last pivot."""
        rows = self.s["bands"][: self.s["n_bands"]]
        return [
            (self.side * (b["price"] + b["offset"]), self.side * int(b["role"]), b["strength"])
            for b in rows
        ]

    @property
    def items(self):
        """Side and weight of the live items."""
        live = self.s["items"][self.s["items"]["alive"] != 0]
        assert (live["kind"] == LEVEL).all()
        return [(self.side * int(i["side"]), float(i["p"])) for i in live]


@pytest.fixture(params=[1, -1], ids=["as is", "mirrored"])
def levels(request):
    return Map(request.param)


def test_a_pivot_opens_a_band_and_a_near_one_joins_it(levels):
    levels.pivot(110, 1)
    assert levels.bands == [(110, -1, 2.0)]
    levels.pivot(110.25, 1, weight=1.0)
    ((centre, role, strength),) = levels.bands
    assert centre == pytest.approx((2 * 110 + 110.25) / 3, abs=1e-12)
    assert (role, strength) == (-1, 3.0)
    levels.pivot(110.5, 1, weight=1.0)  # 0.42 from the centre
    assert len(levels.bands) == 2


def test_of_two_bands_the_nearer_is_joined(levels):
    levels.pivot(110, 1)
    levels.pivot(110.5, 1)
    levels.pivot(110.3125, 1, weight=1.0)
    assert [strength for _, _, strength in levels.bands] == [2.0, 3.0]


def test_strength_halves_in_300_bars_and_a_faded_band_is_dropped(levels):
    levels.pivot(110, 1)
    levels.close(106, bars=300)
    levels.pivot(110, 1, weight=1.0)
    assert levels.bands[0][2] == pytest.approx(2.0)
    levels.close(106, bars=800)  # 2 * 2 ** (-800 / 300) = 0.31
    levels.pivot(90, -1, weight=1.0)
    assert [centre for centre, _, _ in levels.bands] == [110, 90]
    levels.close(106, bars=30)
    levels.pivot(80, -1, weight=1.0)
    assert [centre for centre, _, _ in levels.bands] == [90, 80]


def test_a_return_from_afar_is_evidence_away_from_the_band(levels):
    levels.pivot(110, 1, weight=3.0)
    assert levels.close(108) == []
    assert levels.items == []
    assert levels.close(109.5) == [(-1, "touched")]
    assert levels.items == [(-1, 0.15)]
    assert levels.close(110.25) == []  # beyond the centre, but not through
    assert levels.items == [(-1, 0.15)]
    levels.close(109.25)  # it held
    assert levels.items == []


def test_a_return_from_nearby_is_none(levels):
    levels.pivot(110, 1, weight=3.0)
    levels.close(109.5)
    levels.close(108.75)  # only 1.25 away
    assert levels.close(109.5) == []
    assert levels.items == []
    levels.close(108.5)
    assert levels.close(109.5) == [(-1, "touched")]


def test_a_close_through_exchanges_the_role(levels):
    levels.pivot(110, 1, weight=3.0)
    levels.close(109.75)
    assert levels.items == [(-1, 0.15)]
    assert levels.close(110.5) == [(1, "active")]  # through by half an ATR
    assert levels.items == []
    assert levels.bands[0][1] == 1
    levels.close(111.75)
    assert levels.close(110.25) == [(1, "touched")]
    assert levels.items == [(1, 0.15)]
    assert levels.close(109.5) == [(-1, "active")]
    assert levels.items == []


def test_a_weak_band_is_no_evidence(levels):
    levels.pivot(110, 1, weight=1.0)
    assert levels.close(109.75) == []
    assert levels.items == []
    assert not is_supported(levels.s, -levels.side, levels.side * 109.75, 0.5, levels.n)


def test_support_is_a_strong_band_of_the_same_role_within_reach(levels):
    levels.pivot(90, -1)
    d, n = levels.side, levels.n
    assert is_supported(levels.s, d, d * 90.5, 0.5, n)
    assert is_supported(levels.s, d, d * 89.5, 0.5, n)
    assert not is_supported(levels.s, -d, d * 90.5, 0.5, n)
    assert not is_supported(levels.s, d, d * 90.625, 0.5, n)
    assert not is_supported(levels.s, d, d * 90.5, 0.5, n + 1)  # 2 has faded below 2


def test_the_17th_band_takes_the_place_of_the_least(levels):
    for i in range(N_BANDS):
        levels.pivot(110 + i, 1, weight=1.0 if i == 5 else 2.0, close=107)
    assert len(levels.bands) == N_BANDS
    levels.pivot(90, -1, weight=1.0, close=107)
    centres = [centre for centre, _, _ in levels.bands]
    assert len(centres) == N_BANDS
    assert 90 in centres
    assert 125 not in centres  # far away counts more against a band than one pivot less
    levels.pivot(80, -1, weight=2.0, close=107)
    assert 80 in [centre for centre, _, _ in levels.bands]
    assert len(levels.bands) == N_BANDS


def test_twice_the_slots_of_items_keep_to_their_room(levels):
    for i in range(2 * N_BANDS):
        levels.pivot(110 + i / 64, 1, weight=2.0, close=107)
        levels.pivot(112 + i, 1, weight=2.0, close=107)
    for price in (110, 100, 115, 100, 120, 100, 125):
        levels.close(price)
    assert len(levels.bands) == N_BANDS
    assert len(levels.items) <= len(levels.s["items"]) - 1
    assert levels.s["items"]["alive"][0] == 0  # the slot of the trend is left alone
