from app.auth import tickets as module
from app.auth.roles import LOCAL, Caller, Role
from app.auth.tickets import LINK_MS, TICKET_MS, FirstLink, Tickets

ANNA = Caller("anna", Role.VIEWER, "bearer", None, "t")


def test_a_ticket_is_good_once():
    tickets = Tickets()
    ticket = tickets.give(ANNA, 0)
    assert tickets.take("another", 1) is None
    assert tickets.take(ticket, 1) is ANNA
    assert tickets.take(ticket, 1) is None


def test_a_ticket_is_good_for_a_while():
    tickets = Tickets()
    first, second = tickets.give(ANNA, 0), tickets.give(LOCAL, 0)
    assert tickets.take(first, TICKET_MS - 1) is ANNA
    assert tickets.take(second, TICKET_MS) is None


def test_old_ones_are_let_go_and_many_at_once_push_the_oldest_out(monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    tickets = Tickets()
    given = [tickets.give(ANNA, i) for i in range(5)]
    assert len(tickets) == 3
    assert tickets.take(given[1], 5) is None
    assert tickets.take(given[2], 5) is ANNA
    tickets.give(ANNA, TICKET_MS + 10)
    assert len(tickets) == 1


def test_the_link_is_good_once_and_the_newest_only():
    link = FirstLink()
    assert not link.holds("", 0)
    old, new = link.make(0), link.make(0)
    assert not link.holds(old, 1)
    assert not link.holds("schön", 1)
    assert link.holds(new, LINK_MS - 1)
    assert not link.holds(new, LINK_MS)
    link.end()
    assert not link.holds(new, 1)
    assert not link.holds("", 1)
