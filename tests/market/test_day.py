import numpy as np

from opportunity.market.day import (
    BLOCK,
    add_bars,
    block_total,
    day_volumes,
    first_opens,
    running_volumes,
)

N_BARS = 4


def _rings(n_symbols: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    opens = np.full((n_symbols, N_BARS), np.nan)
    return opens, np.zeros((n_symbols, N_BARS)), np.zeros(n_symbols, np.int64)


def _add(rings, row: int, number: int) -> None:
    bar = np.array([[float(number), 9.0, 0.5, 2.0, 3.0]])
    add_bars(*rings, np.array([row]), np.array([number]), bar)


def _first(rings) -> np.ndarray:
    opens, _, newest = rings
    first = np.empty(newest.size)
    first_opens(opens, newest, first)
    return first


def test_ring_keeps_the_newest_bars_only() -> None:
    rings = _rings()
    for number in range(1, 8):
        _add(rings, 0, number)
    np.testing.assert_array_equal(np.sort(rings[0][0]), [4.0, 5.0, 6.0, 7.0])
    np.testing.assert_array_equal(rings[1][0], [6.0] * N_BARS)  # close x volume
    np.testing.assert_array_equal(_first(rings), [4.0, np.nan])


def test_missing_bars_empty_their_slots() -> None:
    rings = _rings()
    for number in (1, 2, 3, 6):
        _add(rings, 0, number)
    assert rings[1][0].sum() == 12.0  # bars 3 and 6 are left of the last four
    assert _first(rings)[0] == 3.0
    _add(rings, 0, 50)  # a gap longer than the ring
    assert _first(rings)[0] == 50.0
    assert rings[1][0].sum() == 6.0


def test_bar_older_than_the_ring_reaches_is_left_out() -> None:
    rings = _rings()
    _add(rings, 1, 10)
    _add(rings, 1, 6)
    assert _first(rings)[1] == 10.0
    _add(rings, 1, 8)  # late, but inside
    assert _first(rings)[1] == 8.0
    assert rings[2][1] == 10


def test_blocks_add_up_and_the_last_one_may_be_short() -> None:
    quote = np.arange(2 * BLOCK + 5, dtype=np.float64)
    parts = [block_total(quote, k) for k in range(3)]
    assert parts == [quote[k * BLOCK : (k + 1) * BLOCK].sum() for k in range(3)]
    out = np.empty(2)
    day_volumes(np.stack([quote, quote]), np.array([7, 0]), out)
    np.testing.assert_array_equal(out, [quote.sum(), np.nan])


def test_what_a_ring_holds_after_so_many_bars() -> None:
    values = np.tile([1.0, 1.0, 1.0, 2.0, 3.0], (5, 1))
    out = np.empty(5)
    running_volumes(
        np.zeros(N_BARS), np.array([1, 2, 3, 6, 50]), values, np.array([0, 1, 3, 4, 5]), out
    )
    np.testing.assert_array_equal(out, [np.nan, 6.0, 18.0, 12.0, 6.0])
