from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR, random_bars
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.market.bars import Bars
from opportunity.market.continuity import (
    HALF_LIFE,
    Parts,
    facts_along,
    facts_of,
    follow,
    new_tracks,
    tell,
)
from opportunity.market.timeframe import DAY_MS
from opportunity.market.trust import GAPS, N_FACTORS, VOLUME, weigh

ONE = np.zeros(1, np.int64)


def bars(keep=(), n: int = 400, volume=None) -> Bars:
    made = random_bars(n)
    values = made.values.copy()
    if volume is not None:
        values[:, 4] = volume
    rows = np.setdiff1d(np.arange(n), keep)
    return replace(made, time=made.time[rows], values=values[rows])


def share(given: Bars) -> float:
    return float(facts_of(given)[GAPS])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_batch_equals_one_bar_at_a_time_bit_for_bit(seed, per):
    rng = np.random.default_rng(seed)
    given_bars = bars(np.flatnonzero(rng.random(400) < 0.1), volume=rng.integers(0, 2, 400))
    n = len(given_bars)
    absent = rng.integers(0, per, (1, n))
    def parts(at: slice) -> Parts:
        return Parts(HOUR, HOUR // per, absent[:, at])

    rows = np.array([1])
    whole, single, halves = new_tracks(2), new_tracks(2), new_tracks(2)
    time, values = given_bars.time[None], given_bars.values[None]
    follow(whole, rows, time, values, parts(slice(None)))
    for i in range(n):
        at = slice(i, i + 1)
        follow(single, rows, time[:, at], values[:, at], parts(at))
    cut = int(rng.integers(1, n))
    for at in (slice(0, cut), slice(cut, n)):
        follow(halves, rows, time[:, at], values[:, at], parts(at))
    assert whole.tobytes() == single.tobytes() == halves.tobytes()
    assert whole[0] == new_tracks(1)[0]


def test_whole_bars_miss_nothing():
    assert share(bars()) == 0.0
    assert facts_of(bars()).tolist() == [0.0] * N_FACTORS
    assert share(bars().label(timeframe=None)) == 0.0
    assert not facts_of(bars()[:0]).any()


def test_a_missing_bar_counts_half_after_the_half_life():
    n = 400
    half = int(HALF_LIFE)
    new, old = share(bars([n - 2])), share(bars([n - 2 - half]))
    assert 0.012 < new < 0.015
    assert old == pytest.approx(new / 2, rel=1e-6)
    assert share(bars([n - 2 - 2 * half])) == pytest.approx(new / 4, rel=1e-6)
    assert weigh(facts_of(bars([n - 2 - 2 * half])))[1] == 1.0  # forgotten


def test_missing_bars_add_up_like_their_constituents():
    given_bars = bars()
    absent = np.zeros((1, 400), np.int64)
    absent[0, -2] = 30  # half of a bar
    tracks, facts = new_tracks(1), np.zeros((1, N_FACTORS))
    follow(tracks, ONE, given_bars.time[None], given_bars.values[None],
           Parts(HOUR, 60_000, absent))
    tell(tracks, facts)
    assert facts[0, GAPS] == pytest.approx(share(bars([398])) / 2, rel=1e-2)


def test_what_never_existed_is_no_gap():
    given_bars = bars([100, 200, 397])
    tracks, facts = new_tracks(1), np.zeros((1, N_FACTORS))
    absent = np.full((1, len(given_bars)), 3)
    follow(tracks, ONE, given_bars.time[None], given_bars.values[None],
           Parts(HOUR, 60_000, absent, np.zeros(1, np.bool_)))
    tell(tracks, facts)
    assert facts[0, GAPS] == 0.0


def test_a_huge_gap_is_nearly_all_and_fades():
    given_bars = bars()
    later = given_bars.time.copy()
    later[300:] += 10**6 * HOUR
    gapped = replace(given_bars, time=later)
    assert share(gapped[:301]) > 0.98
    assert weigh(facts_of(gapped[:301]))[1] == 0.0
    assert share(gapped) == pytest.approx(0.25, abs=0.01)  # two half-lives later


def test_padding_is_passed_over():
    given_bars = bars([50])
    padded = np.full((1, 450, 5), np.nan)
    padded[0, -len(given_bars):] = given_bars.values
    time = np.zeros((1, 450), np.int64)
    time[0, -len(given_bars):] = given_bars.time
    tracks, facts = new_tracks(1), np.zeros((1, N_FACTORS))
    follow(tracks, ONE, time, padded, Parts(HOUR, HOUR))
    tell(tracks, facts)
    np.testing.assert_array_equal(facts[0], facts_of(given_bars))


def test_bars_without_volume_are_counted_from_the_newest():
    volume = np.ones(400)
    volume[[5, 6, 7, 8, -3, -2, -1]] = 0
    assert facts_of(bars(volume=volume))[VOLUME] == 3
    assert facts_of(bars(volume=volume)[:-2])[VOLUME] == 1
    volume[-1] = 1
    assert facts_of(bars(volume=volume))[VOLUME] == 0


def test_weekends_of_a_market_that_closes_are_no_gap_but_one_long_outage_is():
    made = random_bars(24 * 7 * 8)
    closed = (made.time // DAY_MS + 4) % 7  # Sunday is 0
    open_days = (closed != 0) & (closed != 6)
    week = replace(made, time=made.time[open_days], values=made.values[open_days])
    assert weigh(facts_of(week))[1] == 1.0
    first = int(np.flatnonzero(~open_days)[-48])
    outage = np.setdiff1d(np.arange(len(made)), np.arange(first, first + 48))
    once = replace(made, time=made.time[outage], values=made.values[outage])
    assert weigh(facts_of(once[: first + 5]))[1] == 0.0


@pytest.mark.parametrize("counts", [True, False])
def test_facts_along_tell_what_a_track_tells_after_each_bar(counts):
    rng = np.random.default_rng(8)
    given_bars = bars(
        [*np.flatnonzero(rng.random(400) < 0.05), *range(100, 140)],
        volume=rng.integers(0, 2, 400),
    )
    n = len(given_bars)
    absent, known = rng.integers(0, 4, n), np.array([counts])
    gaps, flat = facts_along(
        given_bars.time, given_bars.values, Parts(HOUR, HOUR // 4, absent, known)
    )
    track, facts = new_tracks(1), np.zeros((1, N_FACTORS))
    for i in range(n):
        at = slice(i, i + 1)
        parts = Parts(HOUR, HOUR // 4, absent[None, at], known)
        follow(track, ONE, given_bars.time[None, at], given_bars.values[None, at], parts)
        tell(track, facts)
        assert (gaps[i], flat[i]) == (facts[0, GAPS], facts[0, VOLUME])
    assert (gaps.max() > 0) == counts
    assert flat.max() > 2
