from itertools import pairwise

import numpy as np
import pytest

from opportunity.detectors.book_flow import (
    BOOK,
    BOOK_MINUTE,
    COLUMNS,
    LEAST_MINUTES,
    N_SAMPLES,
    added,
    fill_books,
    fold_book,
)

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START = 1_600_000_000_000 // DAY_MS * DAY_MS
OFI, DEEP, IMBALANCE = range(len(COLUMNS))


def fold(books):
    """Fold (ms, bids, asks) rows; return the minutes."""
    s, minutes, n = np.zeros(1, BOOK)[0], np.zeros(len(books) + 1, BOOK_MINUTE), 0
    for t, bids, asks in books:
        n = fold_book(s, minutes, n, t, np.array(bids, float), np.array(asks, float))
    return minutes[:n]


def row(minutes, opened, closed):
    rows = np.full((1, 3), np.nan)
    fill_books(minutes, np.array([opened]), np.array([closed]), np.array([0]), 0, rows)
    return rows[0]


QUOTES = [  # bid, its amount, ask, its amount
    (100, 10, 101, 8),
    (100, 14, 101, 8),  # 4 more wanted: +4
    (100.5, 3, 101, 8),  # a better bid of 3: +3
    (100, 12, 101, 5),  # the bid of 3 is gone: -3; 3 less offered: +3
    (100, 12, 100.75, 6),  # a better offer of 6: -6
    (100, 7, 101, 9),  # 5 less wanted: -5; the offer of 6 is gone: +6
]


def test_order_flow_of_six_quotes_by_hand():
    books = [(START + 1000 * i, [(b, x)], [(a, y)]) for i, (b, x, a, y) in enumerate(QUOTES)]
    expected = [0, 4, 3, 0, -6, 1]
    for n in range(1, 7):
        assert fold(books[:n])["ofi"][0] == sum(expected[:n])
    minutes = fold(books)
    depth = np.mean([(x + y) / 2 for _, x, _, y in QUOTES[1:]])
    assert row(minutes, START, START + MINUTE_MS)[OFI] == pytest.approx(2 / depth)
    assert row(minutes, START, START + MINUTE_MS)[DEEP] == pytest.approx(2 / depth)  # one level


def test_what_a_level_gains():
    assert added(np.array([10.0, 5.0]), np.array([10.0, 7.0]), 1) == 2
    assert added(np.array([10.0, 5.0]), np.array([11.0, 7.0]), 1) == 7
    assert added(np.array([10.0, 5.0]), np.array([9.0, 7.0]), 1) == -5
    assert added(np.array([10.0, 5.0]), np.array([9.0, 7.0]), -1) == 7


def random_books(n=400, seed=1, step=900, levels=7, least=1):
    rng = np.random.default_rng(seed)
    mid = 512 + np.cumsum(rng.integers(-1, 2, n)) / 8
    return [
        (START + step * i,
         [(mid[i] - (k + 1) / 16, a) for k, a in enumerate(rng.integers(least, 90, levels))],
         [(mid[i] + (k + 1) / 16, a) for k, a in enumerate(rng.integers(least, 90, levels))])
        for i in range(n)
    ]


def test_five_levels_count_by_one_over_the_level():
    books = random_books()
    minutes = fold(books)
    flow = depth = 0.0
    for (_, b0, a0), (_, b1, a1) in pairwise(books):
        for k in range(5):
            (pb0, qb0), (pb1, qb1), (pa0, qa0), (pa1, qa1) = b0[k], b1[k], a0[k], a1[k]
            e = (pb1 >= pb0) * qb1 - (pb1 <= pb0) * qb0 - (pa1 <= pa0) * qa1 + (pa1 >= pa0) * qa0
            flow += e / (k + 1)
            depth += (qb1 + qa1) / 2 / (k + 1)
    got = row(minutes, START, START + 15 * MINUTE_MS)
    assert got[DEEP] == pytest.approx(flow / (depth / (len(books) - 1)))


def test_mirrored_books_negate_everything_bit_for_bit():
    books = random_books(seed=3)
    twins = [
        (t, [(1024 - p, a) for p, a in asks], [(1024 - p, a) for p, a in bids])
        for t, bids, asks in books
    ]
    one, other = fold(books), fold(twins)
    for name in ("ofi", "ofi_deep", "imbalance"):
        np.testing.assert_array_equal(one[name], -other[name])
    np.testing.assert_array_equal(one["depth_deep"], other["depth_deep"])


def test_order_flow_is_off_above_15_minutes_and_imbalance_is_not():
    minutes = fold(random_books(n=1200))
    assert np.isfinite(row(minutes, START, START + 15 * MINUTE_MS)).all()
    long = row(minutes, START, START + 16 * MINUTE_MS)
    assert np.isnan(long[[OFI, DEEP]]).all()
    assert np.isfinite(long[IMBALANCE])


def test_a_gap_between_snapshots_is_not_read_across():
    (t, bids, asks), *_ = random_books(1)
    huge = [(p, 1e6) for p, _ in bids]
    assert fold([(t, bids, asks), (t + 60_000, huge, asks)])["ofi"][-1] > 0
    assert fold([(t, bids, asks), (t + 60_001, huge, asks)])["ofi"][-1] == 0


def test_imbalance_is_the_median_over_minutes_of_the_median_of_each():
    books = random_books(n=600, step=1000, least=40)  # no level is a wall
    minutes = fold(books)
    x = [
        (sum(a for _, a in b) - sum(a for _, a in s)) / sum(a for _, a in (*b, *s))
        for _, b, s in books
    ]
    expected = [np.median(x[60 * i : 60 * i + 60]) for i in range(10)]
    np.testing.assert_allclose(minutes["imbalance"], expected, rtol=1e-12)
    got = row(minutes, START, START + 10 * MINUTE_MS)[IMBALANCE]
    assert got == pytest.approx(np.median(expected))


def test_samples_are_half_a_second_apart_and_bounded():
    books = [(START + 50 * i, [(9, 1 + i % 7)], [(10, 5)]) for i in range(1200)]
    assert fold(books)["samples"].tolist() == [N_SAMPLES]


def with_wall(t, wall, price=99.0):
    bids = [(100 - k, 10) for k in range(5)]
    asks = [(101 + k, 10) for k in range(5)]
    bids[1] = (price, 10 + wall)
    return t, bids, asks


def test_walls_that_vanish_within_a_minute_do_not_count():
    spoofed = [with_wall(START + 1000 * i, 490 if i % 50 < 40 else 0) for i in range(180)]
    assert (fold(spoofed)["imbalance"] == 0).all()
    standing = [with_wall(START + 1000 * i, 490) for i in range(180)]
    np.testing.assert_allclose(fold(standing)["imbalance"], [0, 490 / 590, 490 / 590])
    moving = [with_wall(START + 1000 * i, 490, 99.0 + (i // 30) / 64) for i in range(180)]
    assert (fold(moving)["imbalance"] == 0).all()


def test_depth_counts_within_half_the_range_of_the_hour():
    """Far levels weigh in until the range of the mids is known."""
    books = []
    for i in range(20 * 6):
        shift = 0.5 if i % 2 else -0.5  # mids range over 1: reach 0.5
        bids = [(100 + shift - 0.25, 10), (100 + shift - 0.75, 30)]
        asks = [(100 + shift + 0.25, 10), (100 + shift + 0.75, 10)]
        books.append((START + 10_000 * i, bids, asks))
    x = fold(books)["imbalance"]
    np.testing.assert_allclose(x[:LEAST_MINUTES], 20 / 60)
    assert (x[LEAST_MINUTES:] == 0).all()


def test_a_bar_longer_than_a_day_reads_its_last_day():
    minutes = np.zeros(3 * 1440, BOOK_MINUTE)
    minutes["time"] = START + MINUTE_MS * np.arange(minutes.size)
    minutes["imbalance"], minutes["samples"] = np.where(np.arange(minutes.size) < 2880, -1, 0.5), 1
    assert row(minutes, START, START + 3 * DAY_MS)[IMBALANCE] == 0.5
