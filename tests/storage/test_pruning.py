from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.config_lists import RETENTION_DAYS
from opportunity.storage import pruning
from opportunity.storage.database import DatabaseError, open_database
from opportunity.storage.pruning import Pruner
from opportunity.storage.retention import DAY_MS, THIN_MS
from opportunity.storage.trading_tables import METADATA

NOW = 3_000 * DAY_MS
T = METADATA.tables


def put(engine: sa.Engine, table: str, *rows: dict) -> None:
    """Insert rows; what they do not say is made up."""
    def value(column: "sa.Column") -> object:
        if isinstance(column.type, sa.JSON):
            return {}
        return "x" if isinstance(column.type, sa.String) else 0

    whole = [
        {c.name: value(c) for c in T[table].columns if not c.nullable and c.name != "id"} | row
        for row in rows
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(T[table]), whole)


def left(engine: sa.Engine, table: str, *columns: str) -> list:
    wanted = sa.select(*(T[table].c[c] for c in columns)).order_by(*T[table].primary_key)
    with engine.connect() as connection:
        found = connection.execute(wanted).all()
    return [row[0] for row in found] if len(columns) == 1 else [tuple(row) for row in found]


def prune(engine: sa.Engine, **days: int) -> dict[str, int]:
    return Pruner(engine, days, lambda: NOW).prune()


def test_events_go_by_the_wall_clock_but_for_the_newest(engine: sa.Engine) -> None:
    ages = (400, 366, 365, 10)
    put(engine, "event", *({"key": str(a), "at": NOW - a * DAY_MS} for a in ages))
    assert prune(engine) == {"event": 2}
    assert left(engine, "event", "key") == ["365", "10"]
    assert prune(engine, event=5) == {"event": 1}  # the newest stays: ids go on from it
    assert left(engine, "event", "key") == ["10"]


def test_candidates_of_a_replay_of_last_year_are_not_old(engine: sa.Engine) -> None:
    for market, now in (("replay", 100 * DAY_MS), ("live", NOW)):
        put(engine, "candidate", *(
            {"market": market, "symbol": f"{market}{age}", "time": now - age * DAY_MS}
            for age in (181, 180, 0)
        ))
    assert prune(engine) == {"candidate": 2}
    kept = set(left(engine, "candidate", "symbol"))
    assert kept == {"replay180", "replay0", "live180", "live0"}


def test_outcomes_go_with_their_candidates(engine: sa.Engine) -> None:
    put(engine, "candidate", {"time": 0, "symbol": "old"}, {"time": NOW, "symbol": "new"})
    old, new = left(engine, "candidate", "id")
    put(engine, "outcome", {"candidate": old, "horizon": 1}, {"candidate": new, "horizon": 1})
    prune(engine)
    assert left(engine, "outcome", "candidate") == [new]


def test_what_waits_to_be_sent_is_kept(engine: sa.Engine) -> None:
    put(engine, "outbox", *(
        {"key": status, "status": status, "created_at": 0}
        for status in ("waiting", "sent", "failed", "digested")
    ), {"key": "new", "status": "sent", "created_at": NOW})
    assert prune(engine) == {"outbox": 3}
    assert left(engine, "outbox", "key") == ["waiting", "new"]


def test_the_other_tables(engine: sa.Engine) -> None:
    put(engine, "idempotent", {"key": "a", "created_at": NOW - 2 * DAY_MS},
        {"key": "b", "created_at": NOW - DAY_MS})
    put(engine, "bar_note", {"noted_at": NOW - 31 * DAY_MS}, {"noted_at": NOW})
    put(engine, "observation", {"key": "a", "available_at": NOW - 401 * DAY_MS},
        {"key": "b", "available_at": NOW})
    assert prune(engine) == {"idempotent": 1, "bar_note": 1, "observation": 1}
    assert prune(engine) == {}


def test_money_stays(engine: sa.Engine) -> None:
    for table in ("book", "position", "paper_order", "fill", "trade"):
        put(engine, table, {})
    assert prune(engine, **dict.fromkeys(RETENTION_DAYS, 1)) == {}
    for table in ("book", "position", "paper_order", "fill", "trade"):
        assert len(left(engine, table, *[c.name for c in T[table].primary_key])) == 1


def test_nothing_goes_that_is_kept_for_ever(engine: sa.Engine) -> None:
    put(engine, "event", {"key": "a", "at": 0}, {"key": "b", "at": 0})
    assert prune(engine, event=0) == {}


def marks(engine: sa.Engine, times: list[int], book: str = "paper", epoch: int = 1) -> None:
    rows = [{"book": book, "epoch": epoch, "time": t, "equity": float(t)} for t in times]
    put(engine, "equity_mark", *rows)


def hour(time: int) -> int:
    """Return the number of the hour that ends at or after a time: midnight ends the last one."""
    return -(-time // THIN_MS)


def test_old_marks_are_thinned_to_the_last_of_each_hour(engine: sa.Engine) -> None:
    step = 900_000
    times = [*list(range(0, 100 * DAY_MS, step))[:3_000], 100 * DAY_MS]
    marks(engine, times)
    marks(engine, [0, 1, 2], "shadow:a")  # all of them new, in its own time
    marks(engine, [0, 1, 2], epoch=2)
    before = 10 * DAY_MS
    last = {hour(t): t for t in times}
    wanted = [t for t in times if t >= before or t == last[hour(t)]]
    assert prune(engine)["equity_mark"] == len(times) - len(wanted) + 1
    kept = left(engine, "equity_mark", "book", "epoch", "time")
    assert [t for b, e, t in kept if (b, e) == ("paper", 1)] == wanted
    assert [t for b, e, t in kept if b != "paper"] == [0, 1, 2]
    assert [t for b, e, t in kept if (b, e) == ("paper", 2)] == [0, 2]
    assert prune(engine) == {}


@pytest.fixture(scope="module")
def small():
    engine = open_database("sqlite:///:memory:")
    yield engine
    engine.dispose()


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 40 * THIN_MS // 1_000), min_size=1, max_size=60), st.integers(1, 9))
def test_thinning_is_as_told(small: sa.Engine, seconds: set[int], piece: int) -> None:
    """Whatever the pieces: what is left is the last of each old hour and all that is new."""
    times = sorted(s * 1_000 for s in seconds)
    marks(small, times)
    before = times[-1] - DAY_MS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "PIECE", piece)
        Pruner(small, {"equity_mark": 1}, lambda: 0).prune()
    kept = left(small, "equity_mark", "time")
    with small.begin() as connection:
        connection.execute(sa.delete(T["equity_mark"]))
    after = [*times[1:], None]
    assert kept == [
        t for t, n in zip(times, after, strict=True)
        if t >= before or n is None or hour(n) != hour(t)
    ]
    assert all(a < b for a, b in pairwise(kept))


def test_many_rows_go_in_small_transactions(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "PIECE", 100)
    put(engine, "event", *({"key": str(i), "at": 0} for i in range(951)))
    sizes: list[int] = []
    sa.event.listen(engine, "commit", lambda _: sizes.append(len(left(engine, "event", "id"))))
    stop = iter([False] * 4 + [True] * 100)
    pruner = Pruner(engine, {}, lambda: NOW)
    assert pruner.prune(lambda: next(stop)) == {"event": 400}
    assert pruner.prune() == {"event": 550}
    assert left(engine, "event", "key") == ["950"]
    assert len(sizes) >= 10


def test_a_broken_database_is_told(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE equity_mark"))
    with pytest.raises(DatabaseError, match="equity_mark must be readable"):
        prune(engine)
