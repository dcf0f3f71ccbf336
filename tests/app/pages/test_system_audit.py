"""The audit in pages: the newest first, older on request, by kind."""

import orjson
import pytest

from app.components.later import Later
from app.pages import system_audit
from app.pages.system_audit import Audit
from opportunity.storage.events import Event


@pytest.fixture
def audit(services, doc):
    made = Audit(services, Later(doc), "")
    made.sent = []
    made.log._send_msg = made.sent.append
    yield made
    made.close()


def write(services, n: int, kind: str = "agent") -> None:
    services.events.append([
        Event(f"{kind}:{i}", i, kind, {"what": f"{kind} {i}", "by": "anna"}) for i in range(n)
    ])


def rows(audit) -> list[str]:
    return [row["what"] for row in orjson.loads(audit.log.state)["rows"]]


async def test_older_lines_come_on_request(audit, services, doc, turn, monkeypatch) -> None:
    monkeypatch.setattr(system_audit, "PAGE", 3)
    write(services, 7)
    audit.load()
    await turn(doc)
    assert rows(audit) == ["agent 6", "agent 5", "agent 4"]
    for n, last in ((6, 2), (7, 1)):
        audit.log._handle_msg({"what": "older", "n": 1})
        await turn(doc)
        state = orjson.loads(audit.log.state)
        assert len(state["rows"]) == n
        assert (state["next"] is None) is (last == 1)
    assert [one["error"] for one in audit.sent] == ["", ""]


async def test_a_new_line_keeps_what_was_asked_for(audit, services, doc, turn, monkeypatch) -> None:
    monkeypatch.setattr(system_audit, "PAGE", 2)
    write(services, 5)
    audit.load()
    await turn(doc)
    audit.log._handle_msg({"what": "older", "n": 1})
    await turn(doc)
    write(services, 1, "rules")
    audit.load()
    audit.load()  # while one is under way
    await turn(doc)
    await turn(doc)
    assert rows(audit) == ["rules 0", "agent 4", "agent 3", "agent 2"]


async def test_what_a_new_line_pushes_out_can_be_asked_for(
    audit, services, doc, turn, monkeypatch
) -> None:
    monkeypatch.setattr(system_audit, "PAGE", 2)
    write(services, 3)
    audit.load()
    await turn(doc)
    audit.log._handle_msg({"what": "older", "n": 1})
    await turn(doc)
    assert orjson.loads(audit.log.state)["next"] is None  # all three are shown
    write(services, 1, "rules")
    audit.load()
    await turn(doc)
    assert len(rows(audit)) == 3
    assert orjson.loads(audit.log.state)["next"] is not None
    audit.log._handle_msg({"what": "older", "n": 2})
    await turn(doc)
    assert rows(audit)[-1] == "agent 0"
    assert orjson.loads(audit.log.state)["next"] is None


async def test_one_kind_alone_and_no_unknown_one(audit, services, doc, turn) -> None:
    write(services, 2)
    write(services, 1, "rules")
    audit.log._handle_msg({"what": "kind", "kind": "rules", "n": 1})
    await turn(doc)
    assert rows(audit) == ["rules 0"]
    audit.log._handle_msg({"what": "kind", "kind": "ruels", "n": 2})
    assert "rules" in audit.sent[-1]["error"]
    assert audit.log.kind == "rules"


async def test_a_page_holds_so_many_lines(audit, services, doc, turn, monkeypatch) -> None:
    monkeypatch.setattr(system_audit, "PAGE", 2)
    monkeypatch.setattr(system_audit, "MOST", 2)
    write(services, 4)
    audit.load()
    await turn(doc)
    audit.log._handle_msg({"what": "older", "n": 1})
    await turn(doc)
    assert "at most 2" in audit.sent[-1]["error"]
