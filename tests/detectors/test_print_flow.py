import numpy as np
import pytest

from opportunity.detectors.print_flow import (
    COLUMNS,
    SCRATCH,
    close_hours,
    day_before,
    fill_flow,
    sum_span,
)
from opportunity.detectors.prints import MINUTE
from opportunity.detectors.vpin import N_BUCKETS, VPIN_GUESS, vpin

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START = 1_600_000_000_000 // DAY_MS * DAY_MS
BUY, SELL, LARGE_BUY, LARGE_SELL, LARGEST, PRICE, VPIN = range(len(COLUMNS))


def tape(days=3, seed=1, missing=0.3):
    """Minutes with random volume; some have no prints."""
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(rng.random(days * 1440) >= missing)
    rows = np.zeros(kept.size, MINUTE)
    rows["time"] = START + MINUTE_MS * kept
    rows["buy"], rows["sell"] = rng.uniform(0, 9, (2, kept.size))
    rows["large_buy"] = np.where(rng.random(kept.size) < 0.1, rows["buy"] / 2, 0)
    rows["threshold"] = np.where(kept > 1000, 3.0, 0)
    rows["largest"], rows["price"] = rng.uniform(-5, 5, kept.size), rng.uniform(9, 11, kept.size)
    rows["count"] = 5
    return with_sums(rows)


def with_sums(rows):
    """Give minutes what was printed before them on their day, as the fold does."""
    for before, sign in (("volume_before", 1), ("net_before", -1)):
        for day in np.unique(rows["time"] // DAY_MS):
            of_day = np.flatnonzero(rows["time"] // DAY_MS == day)
            moved = rows["buy"][of_day] + sign * rows["sell"][of_day]
            rows[before][of_day] = np.cumsum([0.0, *moved[:-1]])
    return rows


def hours_of(minutes):
    room = np.zeros(100, MINUTE)
    n = close_hours(minutes, room, 0, 0)
    newest = int(minutes["time"][-1])
    return room[:n], newest - newest % HOUR_MS


def rows_of(minutes, hours, until, opened, closed):
    opened, closed = np.array(opened), np.array(closed)
    rows = np.full((opened.size, len(COLUMNS)), np.nan)
    fill_flow(
        minutes, hours, until, opened, closed, np.arange(opened.size),
        np.zeros(1, SCRATCH), rows,
    )
    return rows


@pytest.mark.parametrize("length", [1, 5, 15, 60, 240, 1440])
def test_a_bar_sums_its_minutes(length):
    minutes = tape()
    hours, until = hours_of(minutes)
    opened = START + length * MINUTE_MS * np.arange(3 * 1440 // length)
    rows = rows_of(minutes, hours, until, opened, opened + length * MINUTE_MS)
    for j, o in enumerate(opened.tolist()):
        part = minutes[(minutes["time"] >= o) & (minutes["time"] < o + length * MINUTE_MS)]
        if not part.size:
            assert np.isnan(rows[j]).all()
            continue
        assert rows[j, BUY] == pytest.approx(part["buy"].sum())
        assert rows[j, SELL] == pytest.approx(part["sell"].sum())
        assert rows[j, LARGEST] == part["largest"][np.abs(part["largest"]).argmax()]
        assert rows[j, PRICE] == part["price"][np.abs(part["largest"]).argmax()]
        if (part["threshold"] > 0).any():
            assert rows[j, LARGE_BUY] == pytest.approx(part["large_buy"].sum())
        else:
            assert np.isnan(rows[j, [LARGE_BUY, LARGE_SELL]]).all()


def test_a_minute_counts_when_it_is_over():
    minutes = tape(1, missing=0)
    end = START + 30 * MINUTE_MS
    rows = rows_of(minutes, minutes[:0], 0, [START] * 3, [end - 1, end, end + 59_999])
    expected = [minutes["buy"][:n].sum() for n in (29, 30, 30)]
    np.testing.assert_allclose(rows[:, BUY], expected)


def test_hours_give_the_same_number_whether_kept_or_made_of_minutes():
    minutes = tape()
    hours, until = hours_of(minutes)
    opened = START + 4 * HOUR_MS * np.arange(18)
    closed = opened + 4 * HOUR_MS
    kept = rows_of(minutes, hours, until, opened, closed)
    made = rows_of(minutes, hours[:0], 0, opened, closed)
    half = hours[hours["time"] < START + 30 * HOUR_MS]
    mixed = rows_of(minutes, half, START + 30 * HOUR_MS, opened, closed)
    np.testing.assert_array_equal(kept, made)
    np.testing.assert_array_equal(kept, mixed)
    recent = minutes[minutes["time"] >= START + 40 * HOUR_MS]
    last = closed > START + 72 * HOUR_MS - 1
    forgotten = rows_of(recent, hours, until, opened, closed)
    np.testing.assert_array_equal(forgotten[last, :VPIN], kept[last, :VPIN])


def test_close_hours_goes_on_where_it_stopped():
    minutes = tape(2)
    room, n, until = np.zeros(60, MINUTE), 0, 0
    for end in range(10, len(minutes), 37):
        part = minutes[:end]
        newest = int(part["time"][-1])
        n = close_hours(part, room, n, until)
        until = newest - newest % HOUR_MS
    whole, _ = hours_of(minutes[:end])
    assert room[:n].tobytes() == whole.tobytes()
    assert (np.diff(whole["time"]) > 0).all()


def test_vpin_takes_buckets_of_a_fiftieth_of_the_usual_day():
    minutes = tape(3)
    hours, until = hours_of(minutes)
    closed = START + 2 * DAY_MS + 5 * HOUR_MS + 7 * MINUTE_MS
    row = rows_of(minutes, hours, until, [closed - MINUTE_MS], [closed])[0]
    hour_end = START + 2 * DAY_MS + 5 * HOUR_MS  # days are counted back from the last full hour
    volume = minutes["buy"] + minutes["sell"]
    days = [
        volume[(minutes["time"] >= hour_end - (d + 1) * DAY_MS)
               & (minutes["time"] < hour_end - d * DAY_MS)].sum()
        for d in range(2)
    ]  # the third lacks 19 hours
    end = int(np.searchsorted(minutes["time"], closed - MINUTE_MS + 1))
    guess = np.zeros(1, VPIN_GUESS)[0]
    expected = vpin(minutes, end, closed - 2 * DAY_MS, np.median(days) / N_BUCKETS, guess)
    assert row[VPIN] == pytest.approx(expected, rel=1e-9)


def test_a_day_counts_with_prints_in_20_of_its_hours():
    minutes = tape(2, missing=0)
    volume = minutes["buy"] + minutes["sell"]
    for silent, found in ((0, True), (4, True), (5, False)):
        part = minutes[silent * 60 : 1440]
        hours, until = hours_of(minutes)
        for past in (hours[:0], 0), (hours[silent:], until):
            room = np.zeros(1, MINUTE)[0]
            got = day_before(part, *past, START + DAY_MS, room)
            expected = volume[silent * 60 : 1440].sum() if found else np.nan
            np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_sum_span_of_nothing_is_empty():
    scratch = np.zeros(1, SCRATCH)
    sum_span(tape(1)[:0], tape(1)[:0], 0, START, START + HOUR_MS, scratch[0])
    assert scratch["total"]["count"][0] == 0
