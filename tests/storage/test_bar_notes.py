import math
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from opportunity.market.notes import BarNote
from opportunity.storage.bar_notes import KINDS, MOST_TEXT, BarNoteRepository
from opportunity.storage.database import DatabaseError

BEFORE = (1.0, 2.0, 0.5, 1.5, 10.0)
NOTE = BarNote(
    "corrected", "BTC/USDT", "1m", 60_000, 125_000, BEFORE, (1.0, 2.5, 0.5, 1.5, 11.0), 250.0, 1,
    "stream and REST differ",
)


@pytest.fixture
def store(engine: sa.Engine) -> BarNoteRepository:
    return BarNoteRepository(engine, "binance")


def some(n: int, **values) -> list[BarNote]:
    return [replace(NOTE, at=1_000 + i, **values) for i in range(n)]


def test_notes_come_back_newest_first(store):
    notes = [replace(NOTE, kind=kind, at=i) for i, kind in enumerate(KINDS)]
    assert store.append(notes) == len(KINDS)
    page = store.read()
    assert page.notes == tuple(reversed(notes))
    assert page.after is None


def test_pages_join_without_repetition_also_within_one_instant(store):
    store.append([replace(NOTE, time=i, at=7) for i in range(10)])
    seen, after = [], None
    while True:
        page = store.read(limit=3, after=after)
        seen += [n.time for n in page.notes]
        after = page.after
        if after is None:
            break
        store.append([replace(NOTE, time=99, at=8)])  # newer ones do not shift the pages
    assert seen == list(range(9, -1, -1))


def test_chosen_by_symbol_kind_and_time(store):
    store.append(some(4))
    store.append(some(2, symbol="ETH/USDT", kind="empty", before=None, after=None))
    assert len(store.read(symbol="ETH/USDT").notes) == 2
    assert len(store.read(kind="empty", since=1_001).notes) == 1
    assert store.read(symbol="ETH/USDT", kind="corrected").notes == ()
    assert [n.at for n in store.read(since=1_002).notes] == [1_003, 1_002]


def test_unknown_kind_and_bad_limits_are_refused(store):
    with pytest.raises(ValueError, match="Did you mean 'corrected'"):
        store.read(kind="corected")
    for limit in (0, 1_001):
        with pytest.raises(ValueError, match="limit"):
            store.read(limit=limit)


def test_what_strangers_send_is_bounded_and_harmless(store):
    mad = BarNote(
        "refused", "X" * 500, "nonsense-frame", 2**70, 5, (math.nan, math.inf, 1.0, 1.0, 1.0),
        None, math.nan, 2**40, "\x00\ud800" + "<" * 5_000,
    )
    store.append([mad])
    (found,) = store.read().notes
    assert len(found.text) == MOST_TEXT
    assert len(found.symbol) == 64
    assert (found.time, found.revision, found.change_bp) == (0, 0, 0.0)
    assert [math.isnan(v) for v in found.before] == [True, True, False, False, False]


def test_numbers_of_numpy_are_taken(store):
    note = replace(
        NOTE, time=np.int64(60_000), revision=np.int64(1), change_bp=np.float64(250.0),
        before=tuple(np.array(BEFORE)),
    )
    store.append([note])
    assert store.read().notes == (NOTE,)


def test_markets_do_not_mix(store, engine):
    other = BarNoteRepository(engine, "kraken")
    store.append(some(3))
    assert other.read().notes == ()
    assert other.forget(10_000, 0) == 0
    assert len(store.read().notes) == 3


def test_old_notes_and_too_many_are_let_go(store):
    store.append(some(1_000))
    assert store.forget(1_100, 1_000_000) == 100
    assert store.forget(0, 50) == 850
    assert [n.at for n in store.read(limit=1).notes] == [1_999]
    assert len(store.read(limit=1_000).notes) == 50
    assert store.forget(0, 50) == 0


def test_many_at_once_are_one_transaction(store):
    broken = replace(NOTE, text=object())
    with pytest.raises(TypeError):
        store.append([*some(900), broken])
    assert store.read().notes == ()
    assert store.append(some(900)) == 900


def test_a_broken_database_is_told(store, engine):
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE bar_note"))
    with pytest.raises(DatabaseError, match="must be kept"):
        store.append([NOTE])
    with pytest.raises(DatabaseError, match="must be readable"):
        store.read()
    with pytest.raises(DatabaseError, match="must be forgotten"):
        store.forget(0, 1)
