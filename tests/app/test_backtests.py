import asyncio
import threading
from dataclasses import replace

import pytest
from walks import FIRST, LAST, START, FakeBars

from app import backtests as module
from app.backtest_plan import plan_of
from app.backtests import Backtests, KeyUsedError
from opportunity.backtest import engine
from opportunity.backtest.trials import MemoryTrials
from opportunity.bus.memory import Hub
from opportunity.contracts.backtest import BacktestRequest
from opportunity.scoring.presets import PRESETS

ASKED = {
    "symbol": "BTC/USDT", "start_date": "2024-01-01", "end_date": "2024-01-11",
    "timeframes": ["1h", "4h"], "rules": {"min_score": 0.5, "min_confidence": 0.0},
}  # fmt: skip


def plan(**change):
    asked = BacktestRequest.model_validate(ASKED | change)
    return plan_of(asked, PRESETS["balanced"])


@pytest.fixture
async def hub():
    hub = Hub(asyncio.get_running_loop(), tick_s=0.001)
    yield hub
    hub.close()


@pytest.fixture
async def source():
    return FakeBars()


@pytest.fixture
async def backtests(hub, source):
    made = Backtests(lambda exchange: source, hub, MemoryTrials(), None)
    yield made
    await made.close()


async def done(backtests, job):
    assert await backtests.jobs.wait(job, 30)
    assert job.state == "done", job.error
    return job.result


async def test_a_run_reads_bars_with_their_warm_up_and_keeps_its_configuration(backtests, source):
    asked = plan()
    ran = await done(backtests, backtests.submit(asked))
    assert source.asked == [("BTC/USDT", "1h", asked.first, asked.end)]
    assert ran.config == asked.as_dict()
    assert ran.result.source == "fake"
    assert len(ran.result) == 240
    assert ran.result.time[0] == START + 3_600_000
    assert ran.result.capsule.setup == asked.setup.as_dict()


async def test_a_run_equals_the_library(backtests, source):
    from opportunity.backtest.engine import backtest
    from opportunity.trading.rules import TradeRules

    ran = await done(backtests, backtests.submit(plan()))
    asked = plan()
    mine = backtest(
        source.load("BTC/USDT", "1h", asked.first, asked.end), weights=PRESETS["balanced"],
        timeframes=["1h", "4h"], rules=TradeRules(min_score=0.5, min_confidence=0.0),
        start=asked.start, end=asked.end,
    )
    assert mine.capsule == ran.result.capsule
    assert len(mine.trades) > 0


async def test_the_hub_is_told_under_a_bounded_number_of_names(backtests, hub, monkeypatch):
    monkeypatch.setattr(module, "SLOTS", 2)
    for _ in range(3):
        await done(backtests, backtests.submit(plan()))
    told = hub.latest_of("backtest")
    assert set(told) == {"0", "1"}
    assert {job.number for job in told.values()} == {1, 2}


async def test_progress_says_what_is_under_way(backtests, hub):
    seen = []
    hub.subscribe(lambda states, events: seen.extend(j.doing for j in states.values()))
    job = backtests.submit(plan(context=True))
    await done(backtests, job)
    assert job.doing == "trading"
    assert job.unit == "bars"
    held = job.result.result
    assert job.nbytes > held.bars[0].values.nbytes + held.decisions.table.nbytes


async def test_a_key_is_one_job_until_it_is_forgotten(backtests):
    one = backtests.submit(plan(), "k")
    assert backtests.submit(plan(), "k") is one
    with pytest.raises(KeyUsedError):
        backtests.submit(plan(seed=1), "k")
    await done(backtests, one)
    assert backtests.submit(plan()) is not one


async def test_missing_history_fails_with_a_report(backtests):
    job = backtests.submit(plan(end_date="2024-12-01"))
    assert await backtests.jobs.wait(job, 30)
    assert job.state == "failed"
    assert job.error.report["symbols"][0]["last"] == LAST


async def test_guards_look_at_the_data_of_the_backtest_not_at_what_came_since(
    backtests
):
    ran = await done(backtests, backtests.submit(plan()))
    asked = replace(ran.plan, end=ran.plan.end + 3_600_000)  # more bars are there now
    examined = await done(
        backtests, backtests.submit_examination(replace(ran, plan=asked), PRESETS["balanced"])
    )
    assert examined.dataset == ran.result.capsule.data
    assert examined.n_trials == 1


async def test_left_out_timeframes_are_those_with_history_and_are_told(backtests):
    usual = await done(backtests, backtests.submit(plan(timeframes=None)))
    assert usual.config["timeframes"] == ["1h", "4h", "1d"]  # 200 days before the start
    early = plan(timeframes=None, start_date="2023-07-25", end_date="2023-08-10")
    assert early.timeframes == ("1h", "4h", "1d")
    short = await done(backtests, backtests.submit(early))
    assert short.config["timeframes"] == ["1h", "4h"]  # 40 daily bars are not enough


async def test_missing_history_tells_what_the_source_has(backtests):
    job = backtests.submit(plan(start_date="2024-05-01", end_date="2024-06-01"))
    assert await backtests.jobs.wait(job, 30)
    (one,) = job.error.report["symbols"]
    assert (one["first"], one["last"]) == (FIRST, LAST)


async def test_a_job_that_is_cancelled_while_it_trades_has_not_done_it_all(backtests, monkeypatch):
    def stopped(*given, **named):
        backtests.jobs.cancel(job)
        return real(*given, **named)

    real, gate = engine.backtest, threading.Event()
    monkeypatch.setattr(engine, "backtest", stopped)
    monkeypatch.setattr(
        backtests, "history", lambda *a, of=backtests.history: gate.wait(10) and of(*a)
    )
    job = backtests.submit(plan())
    gate.set()
    assert await backtests.jobs.wait(job, 30)
    assert (job.state, job.doing, job.progress) == ("cancelled", "trading", 0.0)
    assert job.total > 0
