from hypothesis import given
from hypothesis import strategies as st

from app.alerts.prices import HYSTERESIS, PriceWatch, running
from opportunity.storage.price_alerts import PriceAlert

M = 60_000
ABOVE = PriceAlert(1, "A", "above", 100.0, "", False, True, 0, None)
BELOW = PriceAlert(2, "A", "below", 90.0, "", False, True, 0, None)
AGAIN = PriceAlert(3, "A", "above", 100.0, "", True, True, 0, None)


def bar(minute: int, high: float, low: float, close: float | None = None) -> tuple[float, ...]:
    close = (high + low) / 2 if close is None else close
    return (minute * M, close, high, low, close, 1.0)


def seen(watch: PriceWatch, *bars, closed=False) -> list[tuple[int, float, int]]:
    touches, _ = watch.see("A", bars, closed)
    return [(t.alert.id, t.touched, t.time // M) for t in touches]


def test_highs_and_lows_touch_once():
    watch = PriceWatch(M, [ABOVE, BELOW])
    assert seen(watch, bar(0, 96, 94)) == []
    assert seen(watch, bar(1, 100, 94), bar(2, 101, 89), bar(3, 120, 80)) == [
        (1, 100, 1), (2, 89, 2),
    ]  # fmt: skip
    assert watch.symbols() == frozenset()


def test_what_was_before_it_began_does_not_count():
    watch = PriceWatch(M)
    seen(watch, bar(5, 110, 80, 95))
    watch.add(ABOVE)
    watch.add(BELOW)
    assert seen(watch, bar(5, 110, 80, 96)) == []
    assert seen(watch, bar(5, 111, 80, 96)) == [(1, 111, 5)]  # a new high: that was after
    assert seen(watch, bar(5, 111, 80, 90)) == [(2, 90, 5)]  # and the newest price always counts


def test_a_price_that_is_there_already_is_told_at_once():
    assert seen(PriceWatch(M, [ABOVE]), bar(0, 105, 101, 103)) == [(1, 103, 0)]


def test_bars_older_than_the_alert_are_not_looked_at():
    watch = PriceWatch(M, [ABOVE])
    seen(watch, bar(5, 96, 94))
    assert seen(watch, bar(4, 130, 94), closed=True) == []


def test_what_was_not_heard_of_a_bar_is_seen_when_it_has_closed():
    watch = PriceWatch(M, [ABOVE])
    assert watch.due("A", 0) == 0
    seen(watch, bar(0, 96, 94))
    seen(watch, bar(1, 96, 94))
    assert watch.due("A", 2 * M) == 0
    assert seen(watch, bar(0, 97, 94), bar(1, 101, 94, 95), closed=True) == [(1, 101, 1)]
    assert watch.due("A", 2 * M) == 2 * M


def test_one_that_goes_on_needs_the_price_to_leave():
    watch = PriceWatch(M, [AGAIN])
    seen(watch, bar(0, 96, 94))
    assert seen(watch, bar(1, 101, 99, 100)) == [(3, 101, 1)]
    assert seen(watch, bar(2, 103, 99.9, 99.9), bar(3, 104, 99, 100.5)) == []
    assert not watch.alerts[3].active
    _, changed = watch.see("A", [bar(4, 104, 98, 99)])
    assert [a.active for a in changed] == [True]
    assert seen(watch, bar(4, 104, 98, 99.5)) == []  # the high was before it left
    assert seen(watch, bar(5, 102, 99)) == [(3, 102, 5)]


def test_the_event_says_everything():
    (touch,), _ = PriceWatch(M, [ABOVE]).see("A", [bar(7, 101, 100, 101)])
    event = touch.event("simulated-7", "simulated")
    assert (event.key, event.time, event.kind) == (f"price:simulated-7:1:{7 * M}", 7 * M,
                                                   "price_alert")  # fmt: skip
    assert event.body["touched"] == 101
    assert event.body["source"] == "simulated"


def test_bars_of_a_history():
    assert running([0, M], [[1, 2, 0, 1, 5], [1, 3, 0, 1, 5]])[1] == (M, 1, 3, 0, 1, 5)


@given(st.lists(st.tuples(st.floats(80, 120), st.floats(0, 5)), min_size=1, max_size=60))
def test_against_a_walk_in_plain_words(path):
    """Closed bars only: fires at each first touch, and again only after a close below."""
    bars = [bar(i, mid + w, mid - w, mid) for i, (mid, w) in enumerate(path)]
    wanted, armed = [], True
    for i, (_, _, high, _, close, _) in enumerate(bars):
        if armed and (close if i == 0 else high) >= 100:
            wanted.append(i)
            armed = False
        elif not armed and close <= 100 * (1 - HYSTERESIS):
            armed = True
    assert [t for _, _, t in seen(PriceWatch(M, [AGAIN]), *bars)] == wanted
