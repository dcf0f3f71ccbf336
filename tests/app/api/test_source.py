import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.messages import Message
from app.api.source import Ring


def event(seq: int) -> Message:
    return Message("trade", "", seq, "e", b"{}")


def seqs(messages: list[Message] | None) -> list[int] | None:
    return None if messages is None else [m.seq for m in messages]


def test_ring_keeps_the_newest_without_a_hole():
    ring = Ring(5, 3)
    assert (ring.head, ring.after(5), ring.after(4), ring.after(6)) == (5, [], None, None)
    assert [ring.add(event(n)) for n in (5, 6, 7, 7, 3, 8, 9)] == [
        False, True, True, False, False, True, True,
    ]  # fmt: skip
    assert ring.head == 9
    assert seqs(ring.after(6)) == [7, 8, 9]
    assert seqs(ring.after(8)) == [9]
    assert ring.after(5) is None


def test_what_comes_after_a_hole_is_all_there_is():
    ring = Ring(0, 10)
    ring.add(event(1))
    ring.add(event(4))
    assert seqs(ring.after(3)) == [4]
    assert ring.after(0) is None


@given(
    head=st.integers(0, 40), size=st.integers(1, 10), new=st.integers(0, 30),
    after=st.integers(0, 80), first=st.integers(0, 5), short=st.integers(0, 5),
)  # fmt: skip
def test_log_and_ring_together_have_all_or_say_so(head, size, new, after, first, short):
    ring = Ring(head, size)
    for n in range(head + 1, head + new + 1):
        ring.add(event(n))
    newest = head + new
    here = ring.after(after)
    assert here is None or seqs(here) == list(range(after + 1, newest + 1))
    log = [event(n) for n in range(after + 1 + first, newest + 3 - short)]
    joined = ring.complete(log, after)
    assert joined is None or seqs(joined) == list(range(after + 1, newest + 1))
    if first == 0 and short <= 2 and after <= newest:  # the log had all
        assert joined is not None


@pytest.mark.parametrize("found", [[4, 5], [3, 5]])
def test_a_hole_in_what_was_read_is_noticed(found):
    ring = Ring(5, 3)
    assert ring.complete([event(n) for n in found], 2) is None
