from scripted_venue import HOLD, bar, opens

from opportunity.feeds.exchange.finality.barrier import MOST_BATCHES, Barrier

FIRST, SECOND = opens(1), opens(2)


def taken(barrier, now):
    return [(b.close, sorted(b.bars), b.late) for b in barrier.take(now)]


def test_a_whole_close_leaves_at_once():
    barrier = Barrier(2, HOLD)
    barrier.push(1, FIRST, bar(1.0))
    assert taken(barrier, FIRST + HOLD - 1) == []
    barrier.push(0, FIRST, bar(1.0))
    assert taken(barrier, FIRST) == [(FIRST, [0, 1], False)]


def test_nothing_leaves_before_its_close():
    barrier = Barrier(1, 0)
    barrier.push(0, FIRST, bar(1.0))
    assert taken(barrier, FIRST - 1) == []
    assert barrier.next_at() == FIRST
    assert taken(barrier, FIRST) == [(FIRST, [0], False)]
    assert barrier.next_at() is None


def test_who_is_ready_leaves_when_the_others_took_too_long():
    barrier = Barrier(2, HOLD)
    barrier.push(1, FIRST, bar(1.0))
    assert barrier.next_at() == FIRST + HOLD
    assert taken(barrier, FIRST + HOLD) == [(FIRST, [1], False)]
    barrier.push(0, FIRST, bar(1.0))
    assert taken(barrier, FIRST + HOLD) == [(FIRST, [0], True)]


def test_a_close_nobody_had_in_time_is_not_late_for_the_first():
    barrier = Barrier(2, HOLD)
    assert taken(barrier, FIRST + HOLD) == []
    barrier.push(0, FIRST, bar(1.0))
    assert taken(barrier, FIRST + 2 * HOLD) == [(FIRST, [0], False)]


def test_a_row_without_a_bar_is_not_waited_for():
    barrier = Barrier(2, HOLD)
    barrier.push(0, FIRST, bar(1.0))
    barrier.skip(1, FIRST)
    assert taken(barrier, FIRST) == [(FIRST, [0], False)]


def test_closes_leave_in_order_and_late_ones_first():
    barrier = Barrier(2, HOLD)
    for close in (FIRST, SECOND):
        barrier.push(1, close, bar(1.0))
    assert taken(barrier, SECOND + HOLD) == [(FIRST, [1], False), (SECOND, [1], False)]
    third = opens(3)
    barrier.push(1, third, bar(1.0))
    for close in (FIRST, SECOND, third):
        barrier.push(0, close, bar(1.0))
    expected = [(FIRST, [0], True), (SECOND, [0], True), (third, [0, 1], False)]
    assert taken(barrier, third) == expected


def test_a_bar_can_be_put_right_while_it_waits():
    barrier = Barrier(2, HOLD)
    barrier.push(0, FIRST, bar(1.0))
    assert barrier.replace(0, FIRST, bar(2.0))
    assert not barrier.replace(1, FIRST, bar(2.0))
    assert barrier.waiting(0) == 1
    (batch,) = barrier.take(FIRST + HOLD)
    assert batch.bars == {0: bar(2.0)}
    assert not barrier.replace(0, FIRST, bar(3.0))
    assert barrier.waiting(0) == 0


def test_waiting_counts_down_batch_by_batch():
    barrier = Barrier(1, HOLD)
    for minute in (1, 2, 3):
        barrier.push(0, opens(minute), bar(1.0))
    assert [barrier.waiting(0) for _ in barrier.take(opens(3))] == [2, 1, 0]


def test_who_went_is_not_waited_for_and_who_came_back_is():
    barrier = Barrier(2, HOLD)
    barrier.push(0, FIRST, bar(1.0))
    barrier.recount([FIRST])
    assert barrier.next_at() == FIRST
    barrier.recount([FIRST, FIRST - 1])
    assert barrier.next_at() == FIRST + HOLD


def test_a_long_repair_comes_in_pieces():
    barrier = Barrier(1, 0)
    for minute in range(1_000):
        barrier.push(0, opens(minute), bar(1.0))
    closes = []
    while part := taken(barrier, opens(2_000)):
        assert len(part) <= MOST_BATCHES
        closes += [close for close, _, _ in part]
    assert closes == [opens(m) for m in range(1_000)]


def test_counts_of_closes_without_any_bar_are_bounded():
    barrier = Barrier(2, HOLD)
    for minute in range(10_000):
        barrier.skip(1, opens(minute))
    assert len(barrier._passed) <= 4_096


def test_a_row_that_was_asked_for_in_vain_is_not_waited_for_until_it_comes():
    barrier = Barrier(3, HOLD)

    def others(minute):
        barrier.push(0, opens(minute), bar(1.0))
        barrier.push(1, opens(minute), bar(2.0))
        return taken(barrier, opens(minute))

    barrier.excuse(2, opens(2))
    assert others(1) == []  # of the close before nothing was asked
    barrier.skip(2, opens(1))
    assert taken(barrier, opens(1)) == [(opens(1), [0, 1], False)]
    assert others(2) == []  # it was there meanwhile
    barrier.excuse(2, opens(2))
    assert taken(barrier, opens(2)) == [(opens(2), [0, 1], False)]
    assert others(3) == [(opens(3), [0, 1], False)]
    barrier.push(2, opens(2), bar(3.0))
    assert taken(barrier, opens(3)) == [(opens(2), [2], True)]
    assert others(4) == []


def test_a_row_that_is_gone_does_not_stand_in_for_one_that_is_waited_for():
    barrier = Barrier(3, HOLD)
    barrier.excuse(2, FIRST)
    barrier.forget(2)
    barrier.push(0, FIRST, bar(1.0))
    barrier.recount([FIRST, FIRST - 1])
    assert taken(barrier, FIRST) == []
