from hypothesis import given
from hypothesis import strategies as st

from opportunity.live.staleness import FRESH, STEADY, Staleness
from opportunity.trading.records import CLOSED, HALF_OPEN, OPEN

MINUTE = 60_000


def test_bars_in_time_are_fresh() -> None:
    one = Staleness(MINUTE, on_wall_time=True)
    for i in range(1, 5):
        assert one.heard(i * MINUTE, i * MINUTE + 2_000, 3) == FRESH


def test_silence_opens_and_news_half_open_it_for_a_while() -> None:
    one = Staleness(MINUTE, on_wall_time=True)
    one.heard(10 * MINUTE, 10 * MINUTE, 3)
    assert one.now(13 * MINUTE, 3) == FRESH
    state, text = one.now(13 * MINUTE + 1_000, 3)
    assert (state, text) == (OPEN, "newest bar is 181 s old")
    late = one.heard(11 * MINUTE, 15 * MINUTE, 3)  # what comes now is old itself
    assert late.state == OPEN
    states = [one.heard(t * MINUTE, t * MINUTE, 3).state for t in range(16, 16 + STEADY + 1)]
    assert states == [HALF_OPEN] * (STEADY - 1) + [CLOSED] * 2


def test_off_and_feeds_of_another_time_are_never_stale() -> None:
    assert Staleness(MINUTE, on_wall_time=True).heard(MINUTE, 99 * MINUTE, 0) == FRESH
    assert Staleness(MINUTE, on_wall_time=False).heard(MINUTE, 99 * MINUTE, 3) == FRESH


def test_storage_that_fails_opens_whatever_the_feed() -> None:
    one = Staleness(MINUTE, on_wall_time=False)
    one.storage = "no room"
    assert one.heard(MINUTE, MINUTE, 0) == (OPEN, "storage: no room")
    one.storage = ""
    assert one.heard(2 * MINUTE, 2 * MINUTE, 0) == FRESH


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=40))
def test_open_exactly_while_the_newest_bar_is_old(steps) -> None:
    one, now, newest = Staleness(MINUTE, on_wall_time=True), 0, 0
    for waited, age in steps:
        now += waited * MINUTE
        closed = now - age * MINUTE
        newest = max(newest, closed)
        state = one.heard(closed, now, 3).state
        assert (state == OPEN) == (newest > 0 and now - newest > 3 * MINUTE)
