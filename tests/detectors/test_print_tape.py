from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from opportunity.detectors.print_flow import COLUMNS
from opportunity.detectors.print_tape import N_BLOCKS, PrintTape
from opportunity.market.observations import Trades

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START = 1_600_000_000_000 // DAY_MS * DAY_MS


def prints(minutes, seed=1, n=20, start=START):
    """`n` prints a minute."""
    rng = np.random.default_rng(seed)
    time = start + np.sort(rng.integers(0, minutes * MINUTE_MS, n * minutes))
    return Trades(
        "test", "A/B", time, rng.uniform(9, 11, time.size), np.exp(rng.normal(0, 1.5, time.size)),
        np.where(rng.random(time.size) < 0.5, 1, -1).astype(np.int8),
    )  # fmt: skip


def part(trades, a, b):
    i, j = np.searchsorted(trades.time, (a, b))
    cut = slice(int(i), int(j))
    return replace(trades, time=trades.time[cut], price=trades.price[cut],
                   amount=trades.amount[cut], side=trades.side[cut])


def rows_of(tape, opened, closed):
    rows = np.full((len(opened), len(COLUMNS)), np.nan)
    tape.fill(np.asarray(opened), np.asarray(closed), np.arange(len(opened)), rows)
    return rows


def bars(first, last, length):
    opened = np.arange(first, last, length * MINUTE_MS)
    return opened, opened + length * MINUTE_MS


def test_blocks_of_any_length_give_the_same_rows():
    whole = prints(300)
    one, other = PrintTape("A/B"), PrintTape("A/B")
    one.take(whole)
    edges = [START, *(START + np.sort(np.random.default_rng(2).integers(0, 300 * MINUTE_MS, 90))),
             START + DAY_MS]
    for a, b in pairwise(edges):
        other.take(part(whole, a, b))
    for length in (1, 15, 60, 120):
        spans = bars(START, START + 300 * MINUTE_MS, length)
        np.testing.assert_array_equal(rows_of(one, *spans), rows_of(other, *spans))


def test_minutes_that_were_stored_give_the_same_rows_and_the_same_future():
    whole = prints(3 * 1440, n=8)
    lived, stored = PrintTape("A/B"), []
    step = 13 * MINUTE_MS
    for a in range(START, START + 3 * DAY_MS, step):
        lived.take(part(whole, a, a + step))
        stored += lived.drain(a + step)
        lived.forget(a + step)
    assert len({m.event_time for m in stored}) == len(stored)
    stop = START + 2 * DAY_MS + 400 * MINUTE_MS
    again = PrintTape("A/B")
    for minute in stored:
        if minute.available_at <= stop:
            again.restore(minute)
    again.take(part(whole, stop, START + 3 * DAY_MS))
    for length in (1, 5, 60, 1440):
        spans = bars(START + 2 * DAY_MS, START + 3 * DAY_MS, length)
        got, expected = rows_of(again, *spans), rows_of(lived, *spans)
        np.testing.assert_array_equal(got, expected)
    assert np.isfinite(got[-1]).all()
    for m, n in zip(again.drain(START + 4 * DAY_MS), stored[-len(stored) // 8 :], strict=False):
        assert m.threshold > 0
        assert n.sizes


def test_drained_minutes_hold_all_prints_once_and_none_that_may_grow():
    whole, tape = prints(60), PrintTape("A/B")
    tape.take(part(whole, START, START + 30 * MINUTE_MS + 20_000))
    found = tape.drain(START + 30 * MINUTE_MS + 20_000)
    assert [m.event_time for m in found] == [START + i * MINUTE_MS for i in range(30)]
    assert tape.drain(START + 30 * MINUTE_MS + 20_000) == []
    tape.take(part(whole, START + 30 * MINUTE_MS + 20_000, START + DAY_MS))
    assert len(tape.drain(START + 61 * MINUTE_MS - 1)) == 29  # the last may still get prints
    found += tape.drain(START + 61 * MINUTE_MS)
    last = found[-1]
    assert last.event_time == START + 59 * MINUTE_MS
    assert last.available_at == START + 60 * MINUTE_MS
    assert last.buy + last.sell == pytest.approx(
        part(whole, last.event_time, last.available_at).amount.sum()
    )
    assert sum(n for _, n in last.sizes) == last.count
    assert all(type(x) in (int, float) for x in (last.buy, last.count, *last.sizes[0]))


def test_what_is_known_is_passed_over_and_what_is_older_refused():
    whole, tape = prints(10), PrintTape("A/B")
    first = part(whole, START, START + 300_000)
    second = part(whole, START + 300_000, START + DAY_MS)
    tape.take(first)
    spans = bars(START, START + 600_000, 1)
    before = rows_of(tape, *spans)
    tape.take(first)
    np.testing.assert_array_equal(rows_of(tape, *spans), before)
    tape.take(second)
    with pytest.raises(ValueError, match=r"prints of A/B must go on from available_at \d+ with"):
        tape.take(part(whole, START + 60_000, START + 400_000))
    minutes = tape.drain(START + DAY_MS)
    tape.restore(minutes[3])  # known
    with pytest.raises(ValueError, match="minutes of A/B must go on from event_time"):
        tape.restore(replace(minutes[3], event_time=START - MINUTE_MS))


def test_prints_of_restored_minutes_do_not_count_again():
    whole, tape = prints(10), PrintTape("A/B")
    tape.take(whole)
    minutes = tape.drain(START + DAY_MS)
    again = PrintTape("A/B")
    for minute in minutes[:6]:
        again.restore(minute)
    again.take(whole)
    spans = bars(START, START + 600_000, 5)
    np.testing.assert_array_equal(rows_of(again, *spans), rows_of(tape, *spans))


def test_forgetting_bounds_memory_and_changes_no_later_row():
    kept, tape = PrintTape("A/B"), PrintTape("A/B")
    days = 20
    for d in range(days):
        block = prints(1440, seed=d, n=2, start=START + d * DAY_MS)
        kept.take(block)
        tape.take(block)
        tape.forget(START + (d + 1) * DAY_MS)
    end = START + days * DAY_MS
    assert len(tape._minutes) <= 2 * 1440
    assert len(tape._hours) <= 14 * 24 + 1
    assert len(tape._bins) <= 2 * 2 * 1440
    for length in (1, 60, 1440, 7 * 1440):
        spans = np.array([end - length * MINUTE_MS]), np.array([end])
        np.testing.assert_array_equal(rows_of(tape, *spans), rows_of(kept, *spans))


def test_bad_prints_are_refused_and_change_nothing():
    whole, tape = prints(3), PrintTape("A/B")
    tape.take(whole)
    later = prints(1, start=START + HOUR_MS)
    with pytest.raises(ValueError, match="price and amount > 0"):
        tape.take(replace(later, amount=-later.amount))
    assert len(tape._minutes) == 3


@pytest.mark.parametrize("amount", [1e19, 1e300])
def test_amounts_beyond_reason_are_refused(amount):
    tape, whole = PrintTape("A/B"), prints(5)
    whole.amount[50] = amount
    with pytest.raises(ValueError, match="must go on from available_at"):
        tape.take(whole)
    assert np.isnan(rows_of(tape, *bars(START, START + 5 * MINUTE_MS, 5))).all()


def test_what_is_known_of_blocks_stays_small():
    tape, whole = PrintTape("A/B"), prints(3 * N_BLOCKS // 60 + 1, n=60)
    cuts = START + 1000 * np.arange(3 * N_BLOCKS)
    blocks = [part(whole, a, a + 1000) for a in cuts]
    blocks = [b for b in blocks if len(b)]
    for block in blocks:
        tape.take(block)
        tape.take(block)  # the newest are known again
    assert tape._known.size == N_BLOCKS < len(blocks) == tape._n_known
    with pytest.raises(ValueError, match="must go on"):
        tape.take(blocks[0])
