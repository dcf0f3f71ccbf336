import pytest
from scripted_venue import START, bar

from opportunity.feeds.exchange.finality import journal as module
from opportunity.feeds.exchange.finality.journal import COMMON_ROOM, ROOM, Change, Journal


def test_notes_are_drained_in_order():
    journal = Journal(("BTC/USDT", "ETH/USDT"), "1m")
    journal.note("empty", 1, START, START + 5)
    journal.change("corrected", 0, START + 6, Change(START, bar(100.0), bar(101.0), 2, "why"))
    first, second = journal.drain()
    assert (first.kind, first.symbol, first.timeframe) == ("empty", "ETH/USDT", "1m")
    assert (first.time, first.at, first.before) == (START, START + 5, None)
    assert (second.before, second.after, second.revision) == (bar(100.0), bar(101.0), 2)
    assert second.change_bp == pytest.approx(100.0)
    assert journal.drain() == []


def test_a_bar_that_was_not_there_has_no_change():
    journal = Journal(("A",), "1m")
    journal.change("late", 0, START, Change(START, None, bar(101.0), 1, ""))
    assert journal.drain()[0].change_bp == 0.0


def test_text_is_cut():
    journal = Journal(("A",), "1m")
    journal.note("refused", 0, 0, 0, "x" * 10_000)
    assert len(journal.drain()[0].text) == 500


def test_a_flood_leaves_room_for_what_matters():
    journal = Journal(("A",), "1m")
    for _ in range(COMMON_ROOM + 10):
        journal.note("refused", 0, 0, 0)
    journal.note("spike", 0, 0, 0)
    assert journal.n_refused == COMMON_ROOM + 10
    assert journal.n_lost == 10
    assert len(journal.drain()) == COMMON_ROOM + 1
    for _ in range(ROOM + 10):
        journal.note("spike", 0, 0, 0)
    assert len(journal.drain()) == ROOM


def test_every_kind_that_floods_is_known():
    assert {"rest", "late", "refused"} == module._COMMON
