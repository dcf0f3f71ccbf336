import asyncio
import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from portfolios import END, account_of
from risky import FakeMarket, FakePaper, risk_of
from served import build, settings_of

from opportunity.market.timeframe import MINUTE_MS
from opportunity.risk.manager import RiskManager
from opportunity.risk.sizing import Ticket

HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}


async def test_an_empty_account_needs_no_history():
    market = FakeMarket()
    view = await risk_of(FakePaper(), market).view(account_of())
    assert view.found.var95 == 0
    assert view.held.leverage == 0
    assert market.asked == []


async def test_an_account_is_judged_on_the_past_of_what_it_holds():
    account = account_of(HELD)
    view = await risk_of(FakePaper(account), FakeMarket()).view(account)
    assert 0 < view.found.var95 < 0.05
    assert view.held.returns.timeframe == "1d"
    assert all(tail.var > 0 for tail in view.tails.values())
    assert all(not one.note for one in view.stressed)


async def test_the_same_question_is_worked_out_once_and_another_anew():
    risk, account = risk_of(FakePaper(), FakeMarket()), account_of(HELD)
    view = await risk.view(account)
    assert await risk.view(account_of(HELD)) is view
    assert await risk.view(account_of(HELD | {"ETH/USDT": -600.0})) is not view
    assert await risk.view(replace(account, time=END + MINUTE_MS)) is not view
    full = replace(account, storage="disk is full")
    assert (await risk.view(full)).state is full
    tails = await risk.tails(account, 0.99, 10.0)
    assert await risk.tails(account, 0.99, 10.0) is tails
    assert await risk.tails(account, 0.99, 5.0) is not tails


async def test_pages_that_ask_at_the_same_time_share_one_answer(monkeypatch):
    asked, real = [], RiskManager.assess

    def noted(self, *given):
        asked.append(given)
        if len(asked) == 1:
            raise ValueError("history must be finite, was not")
        return real(self, *given)

    monkeypatch.setattr(RiskManager, "assess", noted)
    risk, account = risk_of(FakePaper(), FakeMarket()), account_of(HELD)
    failed = await asyncio.gather(*(risk.view(account) for _ in range(5)), return_exceptions=True)
    assert {str(one) for one in failed} == {"history must be finite, was not"}
    first, *others = await asyncio.gather(*(risk.view(account) for _ in range(5)))
    assert all(other is first for other in others)
    assert len(asked) == 2


async def test_who_leaves_takes_no_answer_from_the_others():
    risk, account = risk_of(FakePaper(), FakeMarket()), account_of(HELD)
    gone, stays = (asyncio.ensure_future(risk.view(account)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).found.var95 > 0
    assert gone.cancelled()


async def test_new_limits_are_judged_by_at_once():
    paper, account = FakePaper(), account_of(HELD)
    risk = risk_of(paper, FakeMarket())
    before = await risk.view(account)
    assert "VAR_LIMIT_EXCEEDED" not in {alert.code for alert in before.found.alerts}
    paper.trading.risk.max_var95 = 0.001
    after = await risk.view(account)
    assert "VAR_LIMIT_EXCEEDED" in {alert.code for alert in after.found.alerts}


async def test_answers_kept_are_bounded():
    risk = risk_of(FakePaper(), FakeMarket())
    for i in range(40):
        await risk.view(replace(account_of(), time=END + i))
    assert len(risk._answers) <= 16


async def test_what_is_missing_is_unknown_and_asked_again():
    account = account_of({"GONE/USDT": 100.0})
    risk = risk_of(FakePaper(account), FakeMarket())
    view = await risk.view(account)
    assert math.isnan(view.found.var95)
    assert view.held.missing
    assert await risk.view(account) is not view


async def test_sizes_follow_the_limits_of_the_moment():
    paper = FakePaper()
    risk, ticket = risk_of(paper, FakeMarket()), Ticket(45_000, 44_000, 10_000, 0.02)
    assert (await risk.plan(ticket)).binding == "notional"
    paper.trading.risk.max_position = 50.0
    paper.trading.risk.max_leverage = 50.0
    assert (await risk.plan(ticket)).binding == "risk"
    assert risk.risk_per_trade == 0.01


async def test_a_new_position_is_held_against_others():
    risk = risk_of(FakePaper(), FakeMarket())
    found = await risk.check_correlation(("BTC/USDT", 1), [("ETH/USDT", 1), ("SOL/USDT", -1)])
    assert found.allowed is True
    assert found.pairs[0].symbol == "ETH/USDT"
    assert found.pairs[0].correlation == pytest.approx(0.5, abs=0.12)
    alone = FakeMarket()
    assert (await risk_of(FakePaper(), alone).check_correlation(("BTC/USDT", 1), [])).allowed
    assert alone.asked == []


async def test_sums_run_on_other_threads(monkeypatch):
    seen = []
    for name in ("assess", "tails", "plan"):
        real = getattr(RiskManager, name)

        def noted(self, *given, real=real, **named):
            seen.append(threading.get_ident())
            return real(self, *given, **named)

        monkeypatch.setattr(RiskManager, name, noted)
    account, risk = account_of(HELD), risk_of(FakePaper(), FakeMarket())
    await risk.view(account)
    await risk.tails(account, 0.95, 1.0)
    await risk.plan(Ticket(45_000, 44_000, 10_000, 0.02))
    assert len(seen) >= 4
    assert threading.get_ident() not in seen


async def test_what_is_known_of_a_symbol_now():
    assert np.isnan(risk_of(FakePaper(), FakeMarket()).market("BTC/USDT").price)


async def test_the_real_market_and_agent_answer(tmp_path):
    services = build(settings_of(tmp_path))
    await services.start()
    try:
        worth = {"ETH/USDT": 2_000.0, "SOL/USDT": -500.0}
        account = replace(account_of(worth), time=services.agent.time)
        view = await services.risk.view(account)
        assert 0 < view.found.var95 < 0.2
        assert view.held.returns.symbols == ("BTC/USDT", "ETH/USDT", "SOL/USDT")
        assert view.held.returns.timeframe == "1d"
        assert np.isfinite(view.found.hours).all()
        assert not [one.note for one in view.stressed if one.note]
        known = services.risk.market("ETH/USDT")
        assert known.price > known.atr > 0
        found = await services.risk.check_correlation(("BTC/USDT", 1), [("ETH/USDT", 1)])
        assert found.pairs[0].correlation > 0.3  # one market factor drives the drawn market
    finally:
        await services.stop()


async def test_assets_that_are_watched_are_compared_whether_held_or_not():
    risk = risk_of(FakePaper(), FakeMarket())
    found = await risk.alike(("BTC/USDT", "ETH/USDT", "SOL/USDT"))
    assert found.symbols == ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    assert found.matrix.shape == (3, 3)
    assert found.matrix[0, 1] == pytest.approx(0.5, abs=0.12)
    part = await risk.alike(("BTC/USDT", "GONE/USDT"))
    assert part.symbols == ("BTC/USDT",)
    assert "GONE/USDT" in part.missing
    assert (await risk.alike(("GONE/USDT",))).matrix is None
