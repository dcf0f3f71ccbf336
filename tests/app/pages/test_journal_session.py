"""One open Journal page: what its filters ask for, what it reads, what it lets people do."""

import asyncio

import orjson
import pytest

from app.pages import journal_session
from app.pages.journal_session import JournalSession
from opportunity.storage.failures import DatabaseError


class Reads:
    """Stands for the database: answers, and remembers what was asked."""

    def __init__(self) -> None:
        self.filters, self.horizons, self.rivals = [], [], []
        self.fails = False

    async def signals(self, services, filters):
        self.filters.append(filters)
        if self.fails:
            raise DatabaseError("disk is full")
        return orjson.dumps({"stamp": "simulated", "rows": [], "n": len(self.filters)}).decode()

    async def figures(self, services, horizon):
        self.horizons.append(horizon)
        parts = ("summary", "gates", "untraded", "decay", "reliability")
        return {name: f'{{"part":"{name}"}}' for name in parts}

    async def challengers(self, services, chosen):
        self.rivals.append(chosen)
        return {"state": '{"rows":[]}', "story": "{}", "chosen": chosen or "first"}


class Shadows:
    def __init__(self) -> None:
        self.done: list = []

    async def add(self, name, weights, by, note=""):
        self.done.append(("add", name, sum(weights.values()), by, note))

    async def remove(self, name, by):
        if name == "gone":
            raise KeyError("no challenger of that name")
        self.done.append(("stop", name, by))


@pytest.fixture
def reads(monkeypatch) -> Reads:
    made = Reads()
    monkeypatch.setattr(journal_session, "read_signals", made.signals)
    monkeypatch.setattr(journal_session, "read_figures", made.figures)
    monkeypatch.setattr(journal_session, "read_challengers", made.challengers)
    return made


@pytest.fixture
async def session(world, doc, reads, turn):
    world.shadows = Shadows()
    made = JournalSession(world, doc, "dark")
    made.open()
    await turn(doc)
    yield made
    made.close()


async def test_it_follows_the_agent_and_leaves(world, doc) -> None:
    session = JournalSession(world, doc, "dark")
    session.open()
    assert session.head.agent.enabled is True
    assert world.hub.n_subscribers == 1
    session.close()
    assert world.hub.n_subscribers == 0


async def test_everything_is_read_once_when_it_opens(session, reads) -> None:
    assert (len(reads.filters), reads.horizons, reads.rivals) == (1, [24], [""])
    assert orjson.loads(session.summary.state) == {"part": "summary"}
    assert orjson.loads(session.decisions.gates) == {"part": "gates"}
    assert orjson.loads(session.reliability.state) == {"part": "reliability"}
    assert session.challengers.shown == "first"
    assert orjson.loads(session.challengers.presets)[:3] == [
        "balanced", "aggressive", "conservative"
    ]  # fmt: skip


async def test_filters_are_asked_for_at_once(session, reads, doc, turn) -> None:
    part = session.outcomes
    part.param.update(symbol="BTC/USDT", side="bearish", made="untraded", detector="smc")
    part.outcome = "wrong"
    assert part.busy is True
    await turn(doc)
    asked = reads.filters[-1]
    chosen = asked.chosen
    assert (chosen.symbol, chosen.side, chosen.untraded, chosen.action) == (
        "BTC/USDT", -1, True, None
    )  # fmt: skip
    assert (chosen.outcome, chosen.horizon, asked.detector) == ("wrong", 24, "smc")
    assert part.busy is False
    part.made = "refused"
    await turn(doc)
    assert (reads.filters[-1].chosen.action, reads.filters[-1].chosen.untraded) == (
        "refused", False
    )  # fmt: skip


async def test_a_rule_is_chosen_for_both_parts(session, reads, doc, turn) -> None:
    session.decisions.stopped = "min_score"
    await turn(doc)
    assert session.outcomes.stopped == "min_score"
    assert reads.filters[-1].chosen.stopped_by == "min_score"
    session.outcomes.stopped = "no such rule"
    await turn(doc)
    assert session.decisions.stopped == session.outcomes.stopped == ""


async def test_another_horizon_is_for_the_whole_page(session, reads, doc, turn) -> None:
    session.summary.horizon = 48
    await turn(doc)
    assert reads.horizons[-1] == 48
    assert session.outcomes.horizon == 48


async def test_new_scans_are_read_but_not_too_often(session, reads, world, doc, turn) -> None:
    world.hub.publish("scan", "", world.evaluation())
    await turn(doc)
    assert len(reads.filters) == 1
    world.skip(journal_session.LOAD_S)
    world.hub.publish("scan", "", world.evaluation())
    await turn(doc)
    assert (len(reads.filters), len(reads.horizons), len(reads.rivals)) == (2, 2, 2)


async def test_a_failure_is_told_and_goes_when_it_is_over(session, reads, doc, turn) -> None:
    reads.fails = True
    session.outcomes.symbol = "BTC/USDT"
    await turn(doc)
    assert (session.outcomes.problem, session.outcomes.busy) == ("disk is full", False)
    reads.fails = False
    session.outcomes.symbol = ""
    await turn(doc)
    assert session.outcomes.problem == ""


async def test_challengers_begin_and_end_here(session, reads, world, doc, turn) -> None:
    part = session.challengers
    part._handle_msg({"type": "add", "name": "bold", "preset": "aggressive", "note": "n"})
    await turn(doc)
    ((what, name, total, by, note),) = world.shadows.done
    assert (what, name, by, note) == ("add", "bold", "page", "n")
    assert total == pytest.approx(1.0)
    assert part.chosen == "bold"
    assert reads.rivals[-1] == "bold"
    answer = orjson.loads(part.answer)
    assert answer["text"]["values"] == {"name": "bold"}
    part._handle_msg({"type": "stop", "name": "bold"})
    await turn(doc)
    assert world.shadows.done[-1] == ("stop", "bold", "page")


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"type": "stop", "name": "gone"}, "no challenger"),
     ({"type": "add", "name": "x", "preset": "none"}, "preset must be a known name"),
     ({"type": "promote"}, "add or stop")],
)  # fmt: skip
async def test_what_is_refused_is_told(session, doc, turn, asked, said) -> None:
    session.challengers._handle_msg(asked)
    await turn(doc)
    answer = orjson.loads(session.challengers.answer)
    assert said in answer["error"]
    assert answer["text"] is None


async def test_nothing_is_read_after_the_close(session, reads, doc, turn) -> None:
    session.close()
    session.outcomes.symbol = "BTC/USDT"
    session.summary.horizon = 4
    await turn(doc)
    assert (len(reads.filters), len(reads.horizons)) == (1, 1)
    await asyncio.sleep(0)
