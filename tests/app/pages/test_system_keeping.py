"""Alerts, backups and retention: turned and tried by those who may, conflicts told."""

import orjson
import pytest

from app.auth.roles import Caller, Role
from app.observing import problems
from app.pages.head import Head
from app.pages.system_keeping import Keeping


class Seat:
    def __init__(self, services, doc, role: Role) -> None:
        head = Head(services, doc, "dark")
        head.who = Caller("anna", role, "loopback")
        self.keeping, self.doc, self.sent = Keeping(services, head), doc, []
        for part in (self.keeping.alerts, self.keeping.backups, self.keeping.retention):
            part._send_msg = self.sent.append

    async def ask(self, turn, part, what: str, **detail) -> dict:
        part._handle_msg({"what": what, "n": 1, **detail})
        while not self.sent:
            await turn(self.doc)
        await turn(self.doc)
        return self.sent.pop()


@pytest.fixture
def seat(services, doc):
    made = Seat(services, doc, Role.TRADER)
    yield made
    made.keeping.close()


async def test_rules_of_alerts_change_and_a_conflict_is_told(seat, services, turn) -> None:
    alerts = seat.keeping.alerts
    first = await seat.ask(turn, alerts, "rules", values={"min_score": 0.9}, version=0)
    assert (first["found"]["version"], first["found"]["rules"]["min_score"]) == (1, 0.9)
    assert orjson.loads(alerts.state)["rules"]["min_score"] == 0.9
    late = await seat.ask(turn, alerts, "rules", values={"min_score": 0.8}, version=0)
    assert "quicker" in late["error"]
    wrong = await seat.ask(turn, alerts, "rules", values={"min_score": 2}, version=1)
    assert "0.5 to 1" in wrong["error"]
    assert services.alerts.rules.min_score == 0.9
    assert (await services.paper.audit())[0].body["by"] == "anna"


async def test_a_test_names_a_channel_that_is_there(seat, turn) -> None:
    answer = await seat.ask(turn, seat.keeping.alerts, "test", channel="desk")
    assert "desk" in answer["error"]
    assert (await seat.ask(turn, seat.keeping.alerts, "test", channel=None))["found"] == {}


async def test_a_backup_is_made_and_listed(seat, turn) -> None:
    found = (await seat.ask(turn, seat.keeping.backups, "back_up"))["found"]
    (copy,) = orjson.loads(seat.keeping.backups.state)["copies"]
    assert copy["name"] == found["name"]


async def test_retention_changes_and_a_conflict_is_told(seat, services, turn) -> None:
    form = seat.keeping.retention
    found = await seat.ask(turn, form, "retention", values={"event": 30}, version=0)
    assert found["found"]["days"]["event"] == 30
    assert "quicker" in (
        await seat.ask(turn, form, "retention", values={"event": 40}, version=0))["error"]
    assert (await seat.ask(turn, form, "retention", values=[1]))["error"]
    assert services.retention.days()["event"] == 30


async def test_what_is_pressed_while_it_is_read_is_read_once_more(
    seat, services, turn, monkeypatch
) -> None:
    days = services.retention.days
    reads = []

    def slow() -> dict[str, int]:
        reads.append(dict(days()))
        if len(reads) == 1:  # somebody presses while the first answer is on its way
            services.retention._days |= {"event": 77}
            seat.keeping.load()
        return reads[-1]

    monkeypatch.setattr(services.retention, "days", slow)
    seat.keeping.load()
    await turn(seat.doc)
    tables = orjson.loads(seat.keeping.retention.state)["tables"]
    assert {one["name"]: one["days"] for one in tables}["event"] == 77
    assert len(reads) == 2


async def test_a_viewer_changes_nothing_and_sees_no_problems(
    services, doc, turn, monkeypatch
) -> None:
    kept = problems.Problems(lambda: 1)
    kept.add("error", "not stored")
    monkeypatch.setattr("app.pages.system_keeping.PROBLEMS", kept)
    one = Seat(services, doc, Role.VIEWER)
    one.keeping.load()
    await turn(doc)
    assert one.keeping.problems.state == "{}"
    for part, what in ((one.keeping.alerts, "test"), (one.keeping.backups, "back_up"),
                       (one.keeping.retention, "retention")):  # fmt: skip
        assert "trader" in (await one.ask(turn, part, what, values={}, version=0))["error"]
    assert await services.backups.copies() == ()
    two = Seat(services, doc, Role.TRADER)
    two.keeping.load()
    await turn(doc)
    assert "not stored" in two.keeping.problems.state
    for seat in (one, two):
        seat.keeping.close()
