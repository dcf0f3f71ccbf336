import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.pace import Pace, compose, mark_of, plan
from opportunity.storage.outbox_rows import Row

NOW = 1_767_225_600_000
PACE = Pace()
ROW = Row(1, "k1", "ops", "breaker", "Title", "Body", "waiting", 0, NOW, NOW, None, "")


def rows(*kinds: str) -> list[Row]:
    return [replace(ROW, id=i, key=f"k{i}", kind=kind) for i, kind in enumerate(kinds)]


def test_nothing_waits():
    assert plan([], ({}, []), NOW, PACE).rows == ()
    assert plan([], ({}, []), NOW, PACE).again_at is None


def test_what_piles_up_goes_out_as_one():
    waiting = rows("signal", "breaker", "signal")
    assert plan(waiting, ({}, []), NOW, PACE).rows == tuple(waiting)


def test_one_kind_rests_between_two_messages():
    due = plan(rows("signal"), ({"signal": NOW - 4_000}, [NOW - 4_000]), NOW, PACE)
    assert (due.rows, due.again_at) == ((), NOW + 1_000)
    assert plan(rows("signal"), ({"signal": NOW - 5_000}, [NOW - 5_000]), NOW, PACE).rows
    waiting = rows("breaker", "signal", "breaker")
    due = plan(waiting, ({"signal": NOW - 1}, [NOW - 1]), NOW, PACE)
    assert due.rows == tuple(waiting[:1])  # the order is kept: the third waits behind the second


def test_a_minute_bears_so_many():
    times = [NOW - 59_000 + i * 5_000 for i in range(10)]
    due = plan(rows("breaker"), ({"signal": times[-1]}, times), NOW, PACE)
    assert (due.rows, due.again_at) == ((), times[0] + 60_000)
    assert plan(rows("breaker"), ({}, times[1:]), NOW, PACE).rows


def test_a_failed_head_holds_the_others_back():
    waiting = rows("breaker", "signal")
    waiting[0] = replace(waiting[0], next_at=NOW + 7_000)
    due = plan(waiting, ({}, []), NOW, PACE)
    assert (due.rows, due.again_at) == ((), NOW + 7_000)


@given(
    st.lists(st.sampled_from(["signal", "breaker", "feed"]), max_size=60),
    st.dictionaries(st.sampled_from(["signal", "breaker"]), st.integers(NOW - 9_000, NOW)),
    st.lists(st.integers(NOW - 90_000, NOW), max_size=15),
    st.integers(1, 900),
)
def test_laws_of_a_plan(kinds, last, times, length):
    waiting = [replace(row, body="x" * length) for row in rows(*kinds)]
    due = plan(waiting, (last, times), NOW, PACE)
    assert due.rows == tuple(waiting[: len(due.rows)])  # a prefix: never out of order
    assert all(NOW - last.get(row.kind, 0) >= PACE.gap_ms for row in due.rows)
    if due.rows:
        assert sum(at > NOW - 60_000 for at in times) < PACE.per_minute
        assert len(compose(due.rows)[1]) <= PACE.most_text + 320
    elif waiting:
        later = plan(waiting, (last, times), due.again_at, PACE)
        assert due.again_at > NOW
        assert later.rows  # it is woken when there is something to do, and not before


def test_waits_grow_with_full_jitter_up_to_an_hour():
    rng = random.Random(1)
    for tries, bound in ((1, 5_000), (2, 10_000), (5, 80_000), (40, 3_600_000)):
        waits = [PACE.wait_ms(tries, "", rng) for _ in range(300)]
        assert max(waits) <= bound
        assert min(waits) < bound * 0.1
        assert max(waits) > bound * 0.9
    assert min(PACE.wait_ms(1, "status 429", rng) for _ in range(100)) >= 30_000


def test_one_row_is_sent_as_it_is_with_its_mark():
    assert compose([ROW]) == ("Title", f"Body\n{mark_of(ROW)}")


def test_a_digest_names_each_with_time_and_mark():
    several = rows("a", "b")
    several[1] = replace(several[1], title="[simulated] Two", body="x " * 900)
    title, body = compose(several)
    assert title == "2 alerts"
    first, second = body.splitlines()
    assert first == f"00:00:00 Title: Body {mark_of(several[0])}"
    assert second.endswith(f"\N{HORIZONTAL ELLIPSIS} {mark_of(several[1])}")
    assert len(second) < 330
    assert compose(several[::-1])[0] == "[simulated] 2 alerts"


def test_the_page_shows_a_real_message():
    from alerting import BREAKER, happened

    from app.alerts.judge import Judge
    from app.alerts.rules import AlertRules

    note = Judge(AlertRules, "simulated", "m").event(happened("breaker", **BREAKER))
    row = replace(ROW, key=f"{note.key}@ops", title=note.title, body=note.body)
    docs = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text()
    assert "```text\n" + "\n".join(compose([row])) + "\n```" in docs


@pytest.mark.parametrize("n", [1, 2])
def test_the_same_row_has_the_same_mark_alone_or_not(n):
    assert mark_of(ROW) in compose([ROW] * n)[1]
