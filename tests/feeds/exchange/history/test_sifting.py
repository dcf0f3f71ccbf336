import numpy as np
import pytest

from opportunity.feeds.exchange.history.sifting import Tally, sift
from opportunity.feeds.exchange.records import Rows
from opportunity.market.quality import require_valid

MINUTE = 60_000
START = 29_000_000 * MINUTE


def rows(times, values=None, asked_at=START + 1_000 * MINUTE):
    times = np.array(times, np.int64)
    if values is None:
        values = np.tile([10.0, 11.0, 9.0, 10.5, 1.0], (times.size, 1))
    return Rows(times, np.array(values, float).reshape(-1, 5), asked_at)


def sifted(given, span=(START, START + 100 * MINUTE)):
    tally = Tally()
    return sift(given, "1m", span, 2_000, tally), tally


def test_order_and_repetition_do_not_matter():
    given = rows([START + 2 * MINUTE, START, START + MINUTE, START])
    given.values[3] = [1, 1, 1, 1, 5]
    found, tally = sifted(given)
    assert found.bars.time.tolist() == [START, START + MINUTE, START + 2 * MINUTE]
    assert found.bars.volume[0] == 5  # of two with one time the later in the answer counts
    assert found.reached == START + 3 * MINUTE
    assert tally.refused == tally.still_open == 0
    require_valid(found.bars)


@pytest.mark.parametrize(("late_ms", "n_bars"), [(-1, 0), (0, 1), (5_000, 1)])
def test_bar_is_final_a_grace_after_its_close(late_ms, n_bars):
    found, tally = sifted(rows([START], asked_at=START + MINUTE + 2_000 + late_ms))
    assert len(found.bars) == n_bars
    assert tally.still_open == 1 - n_bars
    assert (found.reached is None) == (n_bars == 0)


@pytest.mark.parametrize(
    "bad",
    [
        [np.nan, 11, 9, 10, 1],
        [10, np.inf, 9, 10, 1],
        [10, 11, 9, 10, np.nan],
        [0, 11, 0, 10, 1],
        [10, 11, -9, 10, 1],
        [10, 9.9, 9, 9.5, 1],
        [10, 11, 10.5, 10.7, 1],
        [10, 11, 9, 10, -1],
    ],
)
def test_broken_row_is_counted_and_left_out_and_still_passed(bad):
    found, tally = sifted(rows([START, START + MINUTE], [[10, 11, 9, 10, 1], bad]))
    assert found.bars.time.tolist() == [START]
    assert tally.invalid == 1
    assert found.reached == START + 2 * MINUTE


def test_zero_volume_is_a_bar():
    assert len(sifted(rows([START], [[10, 10, 10, 10, 0]]))[0].bars) == 1


def test_off_grid_rows_are_counted_and_lead_nowhere():
    found, tally = sifted(rows([START + 7, START + MINUTE + 7]))
    assert (len(found.bars), found.reached, found.all_off) == (0, None, True)
    assert tally.off_grid == 2
    found, tally = sifted(rows([START, START + MINUTE + 7]))
    assert (len(found.bars), found.all_off, tally.off_grid) == (1, False, 1)


def test_rows_outside_the_span_are_nobodys_business():
    found, tally = sifted(rows([START - MINUTE, START + 100 * MINUTE, 5, 2**60]))
    assert (len(found.bars), found.reached) == (0, None)
    assert (tally.refused, tally.still_open) == (0, 0)


def test_nothing_gives_nothing():
    found, _ = sifted(rows([]))
    assert (len(found.bars), found.reached, found.all_off) == (0, None, False)
