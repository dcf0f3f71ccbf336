"""One open System page: what it reads at once, what it follows, and that it leaves."""

import orjson
import pytest
from bokeh.server.callbacks import PeriodicCallback

from app.auth.roles import Caller, Role
from app.pages import system_session
from app.pages.system_session import SystemSession


def shown(part) -> dict:
    return orjson.loads(part.state)


@pytest.fixture
def session(services, doc):
    made = SystemSession(services, doc, "dark")
    made.open()
    yield made
    made.close()


async def test_everything_is_read_once_the_page_is_open(session, doc, turn) -> None:
    await turn(doc)
    assert shown(session.watch.state)["database"] == "sqlite"
    assert shown(session.watch.feeds)["feed"] == "simulated"
    assert shown(session.watch.latency)["queues"][0]["name"] == "states"
    assert shown(session.audit.log)["rows"] == []
    assert shown(session.keeping.alerts)["channels"] == []
    assert shown(session.keeping.backups)["copies"] == []
    assert shown(session.keeping.retention)["tables"][0]["name"] == "event"


async def test_a_change_of_somebody_else_reaches_the_audit(session, services, doc, turn) -> None:
    await turn(doc)
    await services.controls.set_rules({"min_confidence": 0.33}, "anna")
    await turn(doc)
    (row,) = shown(session.audit.log)["rows"]
    assert (row["by"], row["kind"]) == ("anna", "rules")
    assert session.head.agent.enabled is services.agent.enabled


async def test_it_leaves_the_hub_and_looks_no_more(services, doc, turn) -> None:
    session, before = SystemSession(services, doc, "dark"), services.hub.n_subscribers
    session.open()
    assert services.hub.n_subscribers == before + 1
    assert any(isinstance(one, PeriodicCallback) for one in doc.session_callbacks)
    session.close()
    assert services.hub.n_subscribers == before
    await turn(doc)  # what its timer asks for, too
    session.watch.again()
    session.audit.load()
    session.keeping.load()
    assert doc.session_callbacks == []
    assert session.watch.state.state == session.audit.log.state == "{}"


async def test_it_may_be_closed_when_its_document_is_gone(services, doc, turn) -> None:
    session = SystemSession(services, doc, "dark")
    session.open()
    await turn(doc)
    doc.callbacks.destroy()  # as the server does before it tells
    session.close()


@pytest.mark.parametrize(
    ("role", "there", "not_there"),
    [(Role.VIEWER, {"audit"}, {"problems", "keys", "users"}),
     (Role.TRADER, {"audit", "problems"}, {"keys", "users"}),
     (Role.ADMIN, {"audit", "problems", "keys", "users"}, set())],
)  # fmt: skip
async def test_each_role_is_sent_what_it_may_see(
    services, doc, turn, monkeypatch, role, there, not_there
) -> None:
    monkeypatch.setattr("app.pages.head.caller", lambda doc: Caller("x", role, "loopback"))
    session = SystemSession(services, doc, "dark")
    session.open()
    await turn(doc)
    roots = set(session.roots())
    assert there <= roots
    assert not not_there & roots
    if role is Role.VIEWER:
        assert session.keeping.problems.state == "{}"
    if role is Role.ADMIN:
        assert shown(session.people.keys)["keys"] == []
    session.close()


async def test_what_seldom_changes_is_read_seldom(session, doc, turn, monkeypatch) -> None:
    await turn(doc)
    loads = []
    monkeypatch.setattr(session, "_load", lambda: loads.append(session._looks))
    for _ in range(2 * system_session.KEPT):
        session.watch.again()
        await turn(doc)
    assert len(loads) == 2
