"""The guards of the Research page: asked, answered, overridden with a name and a reason."""

import asyncio

import orjson
import pytest
from walks import FakeBars

from app.auth.roles import Caller, Role
from app.backtest_plan import plan_of
from app.backtests import Backtests
from app.pages.head import Head
from app.pages.research_guards import ResearchGuards
from opportunity.backtest.trials import MemoryTrials
from opportunity.contracts.backtest import BacktestRequest
from opportunity.scoring.presets import PRESETS

ASKED = {
    "symbol": "BTC/USDT", "start_date": "2024-01-01", "end_date": "2024-01-11",
    "timeframes": ["1h"], "rules": {"min_score": 0.5, "min_confidence": 0.0},
}  # fmt: skip


class Kept:
    def __init__(self):
        self.rows = []

    def add(self, done):
        if done.forced and not done.why.strip():
            raise ValueError("why must give the reason of a forced promotion, was empty")
        self.rows.append(done)


@pytest.fixture
async def world(world):
    world.kept = Kept()
    world.backtests = Backtests(lambda exchange: FakeBars(), world.hub, MemoryTrials(), world.kept)
    yield world
    await world.backtests.close()


@pytest.fixture
async def job(world):
    asked = BacktestRequest.model_validate(ASKED)
    made = world.backtests.submit(plan_of(asked, PRESETS["aggressive"]))
    assert await world.backtests.jobs.wait(made, 60)
    return made


@pytest.fixture
async def guards(world, doc, job):
    made = ResearchGuards(world, Head(world, doc, "dark"))
    made.show(job)
    yield made
    made.close()


def _state(guards):
    return orjson.loads(guards.panel.state)


async def _answered(guards, world) -> None:
    guards.panel._handle_msg({"type": "ask"})
    assert _state(guards)["job"] in ("queued", "running")
    asked = world.backtests.jobs.all()[-1]
    assert await world.backtests.jobs.wait(asked, 60)
    guards.heard([asked])


async def _until(doc, turn, told) -> None:
    for _ in range(1_000):
        await turn(doc)
        if told():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


async def test_nothing_is_put_to_use_before_the_guards_answered(guards, world, doc, turn) -> None:
    assert "guards" not in _state(guards)
    guards.heard([])
    guards.panel._handle_msg({"type": "promote", "why": "x", "force": True})
    await _until(doc, turn, lambda: _state(guards)["error"])
    assert "must have answered" in _state(guards)["error"]
    assert world.kept.rows == []


async def test_refused_without_force_and_forced_with_a_reason(guards, world, doc, turn) -> None:
    await _answered(guards, world)
    told = _state(guards)
    assert (told["passed"], len(told["guards"])) == (False, 6)
    before = world.weights.as_dict()
    guards.panel._handle_msg({"type": "promote", "why": "", "force": False})
    await _until(doc, turn, lambda: _state(guards)["error"])
    assert world.weights.as_dict() == before
    guards.panel._handle_msg({"type": "promote", "why": "paper only", "force": True})
    await _until(doc, turn, lambda: _state(guards)["done"])
    assert "Forced" in _state(guards)["done"]["text"]
    assert world.weights.as_dict() == PRESETS["aggressive"]
    (row,) = world.kept.rows
    assert (row.by, row.why, row.forced) == ("page", "paper only", True)


async def test_preset_is_saved_and_the_agent_stays_as_it_is(guards, world, doc, turn) -> None:
    await _answered(guards, world)
    asked = {"type": "promote", "why": "to keep", "force": True, "preset": "mine"}
    guards.panel._handle_msg(asked)
    await _until(doc, turn, lambda: _state(guards)["done"])
    assert world.saved == {"mine": PRESETS["aggressive"]}
    assert world.weights_version == 1
    guards.panel._handle_msg(asked | {"preset": "balanced"})
    await _until(doc, turn, lambda: _state(guards)["error"])
    assert list(world.saved) == ["mine"]


async def test_weights_that_somebody_changed_meanwhile_are_not_overwritten(
    guards, world, doc, turn
) -> None:
    await _answered(guards, world)
    await world.apply_weights(PRESETS["conservative"], by="somebody")
    guards.panel._handle_msg({"type": "promote", "why": "x", "force": True})
    await _until(doc, turn, lambda: "somebody else" in _state(guards)["error"])
    assert world.weights.as_dict() == PRESETS["conservative"]
    assert world.kept.rows == []
    guards.panel._handle_msg({"type": "promote", "why": "knowing it", "force": True})
    await _until(doc, turn, lambda: _state(guards)["done"])
    assert world.weights.as_dict() == PRESETS["aggressive"]


@pytest.mark.parametrize("first", [
    {"preset": "balanced"}, {"preset": "mine"}, {"why": "", "force": False},
])  # fmt: skip
async def test_what_others_changed_is_told_whatever_was_pressed_before(
    guards, world, doc, turn, first
) -> None:
    await _answered(guards, world)
    asked = {"type": "promote", "why": "x", "force": True}
    if "preset" not in first:  # refused first, changed by somebody then
        guards.panel._handle_msg(asked | first)
        await _until(doc, turn, lambda: _state(guards)["error"])
    await world.apply_weights(PRESETS["conservative"], by="somebody")
    if "preset" in first:
        guards.panel._handle_msg(asked | first)
        await _until(doc, turn, lambda: _state(guards)["error"] or _state(guards)["done"])
    guards.panel._handle_msg(asked)
    await _until(doc, turn, lambda: "somebody else" in _state(guards)["error"])
    assert world.weights.as_dict() == PRESETS["conservative"]


async def test_an_answer_that_is_known_is_shown_again(guards, world, doc, job) -> None:
    await _answered(guards, world)
    other = ResearchGuards(world, Head(world, doc, "dark"))
    other.show(job)
    assert _state(other)["guards"] == _state(guards)["guards"]
    other.close()


async def test_a_viewer_may_look_and_not_ask(guards, world) -> None:
    guards._head.who = Caller("ann", Role.VIEWER, "cookie")
    guards.panel._handle_msg({"type": "ask"})
    assert "role must be trader" in _state(guards)["error"]
    assert world.backtests.jobs.all()[-1].kind == "backtest"


async def test_question_can_be_stopped(guards, world) -> None:
    busy = world.backtests.jobs.submit("backtest", {}, _busy)
    guards.panel._handle_msg({"type": "ask"})
    guards.panel._handle_msg({"type": "cancel"})
    assert _state(guards)["job"] == "cancelled"
    world.backtests.jobs.cancel(busy)
    await world.backtests.jobs.wait(busy, 5)


def _busy(progress) -> None:
    while True:
        progress.check()
