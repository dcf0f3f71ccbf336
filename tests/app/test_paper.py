import asyncio
from dataclasses import replace

import numpy as np
import pytest
from accounts import TRADES as KNOWN
from served import NAMES, START, Ears, until

from app.paper import AUDITED, RISK_PER_TRADE
from opportunity.errors import ConflictError, OpportunityError, ThreadError
from opportunity.storage.failures import DatabaseError
from opportunity.storage.ledger_pages import EquityCurve, Page
from opportunity.trading.costs import Sizing


async def test_limits_are_the_shared_objects_with_the_size(services):
    limits = services.paper.limits()
    assert limits == services.agent.trading.risk.as_dict() | {RISK_PER_TRADE: 0.01}
    assert services.paper.limits_version == 0


async def test_changed_limits_are_in_force_told_and_come_back(services, again):
    ears = Ears(services)
    asked = {"max_drawdown": 0.2, RISK_PER_TRADE: 0.02}
    assert await services.paper.set_limits(asked, "api", why="braver") == 1
    assert services.agent.trading.risk.max_drawdown == 0.2
    assert services.agent.trading.sizing == Sizing.risk(0.02)
    event = await ears.event()
    assert (event["what"], event["version"], event["by"]) == ("limits", 1, "api")
    assert event["value"]["max_drawdown"] == 0.2
    restarted = await again(services)
    assert {n: restarted.paper.limits()[n] for n in asked} == asked
    assert restarted.agent.trading.sizing == Sizing.risk(0.02)
    assert restarted.paper.limits_version == 1
    (told,) = await restarted.paper.audit("limits")
    assert (told.body["by"], told.body["why"]) == ("api", "braver")
    assert (told.body["before"]["max_drawdown"], told.body["after"]["max_drawdown"]) == (0.15, 0.2)


@pytest.mark.parametrize(
    "values",
    [{"max_drawdown": 2.0}, {"max_drawdwn": 0.1}, {RISK_PER_TRADE: 0.0}, {RISK_PER_TRADE: 1.5},
     {"max_positions": 2.5}, {"max_drawdown": float("nan")}],
)
async def test_limits_that_break_a_rule_change_nothing(services, values):
    before = services.paper.limits()
    with pytest.raises(ValueError, match="must be"):
        await services.paper.set_limits(values, "api")
    assert services.paper.limits() == before
    assert await services.paper.audit("limits") == ()


async def test_who_is_late_changes_nothing(services):
    await services.paper.set_limits({"max_positions": 3}, "api", expected=0)
    with pytest.raises(ConflictError):
        await services.paper.set_limits({"max_positions": 4}, "page", expected=0)
    assert services.paper.limits()["max_positions"] == 3


async def test_changes_from_python_are_stored_and_audited(services, again):
    services.agent.trading.risk.max_positions = 2
    services.agent.trading.rules.param.update(targets_r=[1.0], shares=[1.0])
    assert (services.paper.limits_version, services.paper.rules_version) == (1, 1)
    found = await services.paper.audit()
    assert [(e.kind, e.body["by"]) for e in found] == [("rules", "python"), ("limits", "python")]
    restarted = await again(services)
    assert restarted.paper.limits()["max_positions"] == 2
    assert restarted.agent.trading.rules.targets_r == [1.0]


async def test_size_set_from_python_is_kept_once_somebody_looks(services, again):
    services.agent.set_sizing(Sizing.risk(0.03))
    assert services.paper.limits()[RISK_PER_TRADE] == 0.03
    assert services.paper.limits_version == 1
    services.paper.limits()
    assert services.paper.limits_version == 1
    assert (await again(services)).agent.trading.sizing == Sizing.risk(0.03)


async def test_shared_limits_belong_to_the_servers_thread(services):
    def turn() -> None:
        services.agent.trading.risk.max_positions = 2

    with pytest.raises(ThreadError):
        await asyncio.to_thread(turn)


async def test_trade_rules_are_checked_together(services, again):
    paper = services.paper
    with pytest.raises(ValueError, match="shares must be one for each"):
        await paper.set_rules({"targets_r": [1.0, 2.0]}, "api")
    asked = {"targets_r": [1.0], "shares": [0.5], "min_score": 0.7}
    assert await paper.set_rules(asked, "api") == 1
    assert {n: paper.rules()[n] for n in asked} == asked
    restarted = await again(services)
    assert {n: restarted.paper.rules()[n] for n in asked} == asked


async def test_every_change_of_what_people_turn_is_audited(services):
    await services.controls.set_enabled(False, "page")
    await services.controls.set_rules({"threshold": 0.7}, "api")
    weights = services.weights.as_dict() | {"smc": 0.2, "sar": 0.1}
    total = sum(weights.values())
    await services.controls.apply_weights({n: w / total for n, w in weights.items()}, "api")
    services.weights.update(smc=0.9)
    found = await services.paper.audit()
    assert [(e.kind, e.body["by"]) for e in found] == [
        ("weights", "python"), ("weights", "api"), ("rules", "api"), ("agent", "page"),
    ]
    assert found[0].body["before"] == found[1].body["after"]
    assert found[3].body["before"] == {"enabled": True}
    assert found[3].body["after"] == {"enabled": False}
    assert {e.kind for e in found} <= set(AUDITED)
    assert await services.paper.audit("agent", 1, found[3].id) == ()


async def test_nothing_before_the_agent_trades(services):
    paper = services.paper
    assert (paper.state(), paper.held()) == (None, ())
    assert (await paper.trades()).rows == ()
    assert (await paper.performance()).trades == 0
    assert (await paper.equity()).time.size == 0


async def test_commands_by_hand_reach_the_account(live):
    paper = live.paper
    await until(lambda: paper.state() is not None)
    assert await paper.flatten("api", "nothing is held") == ()
    with pytest.raises(ValueError, match="BTC/USDT"):
        await paper.close(NAMES[0], "api")
    epoch = paper.state().epoch
    await paper.reset(2_500.0, "api", "smaller")
    await until(lambda: paper.state().epoch > epoch)
    assert (paper.state().cash, paper.state().source) == (2_500.0, "simulated")
    assert await paper.reset_breakers("drawdown", "api") == ()
    (told,) = await paper.audit("reset")
    assert (told.body["by"], told.body["why"], told.body["after"]["cash"]) == (
        "api", "smaller", 2_500.0,
    )
    assert told.time >= START
    with pytest.raises(ValueError, match="breaker"):
        await paper.reset_breakers("drawdwn", "api")


async def test_nothing_by_hand_without_a_running_agent(services):
    for work in (services.paper.flatten("api"), services.paper.reset(1.0, "api")):
        with pytest.raises(OpportunityError):
            await asyncio.wait_for(work, 30)


async def test_limits_that_cannot_be_stored_are_not_in_force(services):
    with services._memory._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE event RENAME TO gone")
    with pytest.raises(DatabaseError):
        await services.paper.set_limits({"max_positions": 3}, "api")
    assert services.paper.limits()["max_positions"] == 5
    with services._memory._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO event")


async def test_days_come_with_the_trades_that_ended_on_them(services, monkeypatch):
    day, asked = 86_400_000, []
    times = np.array([5, 6]) * day
    points = np.ones(2)

    def days(name, most, until):
        asked.append((name, most, until))
        return EquityCurve(times, points, points, points, points)

    def trades(name, limit, after):
        rows = newer if after is None else older
        return Page(rows, 1 if after is None else 0)

    ended = (7 * day, 5 * day, 4 * day + 1)
    newer = tuple(replace(one, closed=at) for one, at in zip(KNOWN, ended, strict=True))
    older = tuple(replace(one, closed=at) for one, at in zip(KNOWN, (4 * day, 3, 2), strict=True))
    monkeypatch.setattr(services.paper._ledger, "days", days, raising=False)
    monkeypatch.setattr(services.paper._ledger, "trades", trades, raising=False)
    curve, found = await services.paper.days(2, 9)
    assert (asked, curve.time.tolist()) == ([("paper", 2, 9)], times.tolist())
    assert [trade.closed for trade in found] == sorted(ended)
