import accounts
import numpy as np
import pytest

from opportunity.storage.ledger_pages import EquityCurve

DAILY, MONTHLY, WORTH = (
    "/api/pnl/daily-summary", "/api/pnl/monthly-performance", "/api/pnl/portfolio-metrics",
)  # fmt: skip
DAY = 86_400_000


def by_day(n: int) -> EquityCurve:
    """Return the last marks of days up to the newest, which gains and loses by turns."""
    equity = 10_000.0 * np.cumprod(1 + 0.01 * np.where(np.arange(n) % 3 == 0, -1.0, 1.0))
    time = accounts.NOW - DAY * np.arange(n)[::-1]
    peak = np.maximum.accumulate(np.maximum(equity, 10_000.0))
    return EquityCurve(time, equity, equity, equity * 0, 1 - equity / peak)


@pytest.fixture
async def world(world):
    world.services.paper = accounts.FakePaper()
    world.services.paper.by_day = by_day(50)
    return world


async def test_days_come_newest_first_with_their_trades(world):
    _, body, _ = await world.call("GET", DAILY + "?days=3")
    assert [day["date"] for day in body["days"]] == ["2025-12-31", "2025-12-30", "2025-12-29"]
    newest = body["days"][0]
    curve = world.services.paper.by_day.equity
    assert newest["equity"] == curve[-1]
    assert newest["pnl"] == pytest.approx(curve[-1] - curve[-2])
    assert newest["day_return"] == pytest.approx(0.01)
    assert (newest["trades"], newest["wins"]) == (3, 1)
    assert newest["realised"] == pytest.approx(sum(t.pnl for t in accounts.TRADES))
    assert body["days"][1]["trades"] == 0
    assert (body["paper"], body["cut"], body["source"]) == (True, False, "simulated")


async def test_first_day_begins_with_the_cash_of_the_start(world):
    world.services.paper.by_day = by_day(2)
    _, body, _ = await world.call("GET", DAILY)
    assert body["days"][-1]["pnl"] == pytest.approx(-100.0)
    _, same, _ = await world.call("GET", DAILY + "?days=2")
    assert same == body


async def test_one_day(world):
    _, body, _ = await world.call("GET", DAILY + "?date=2025-12-30")
    assert [day["date"] for day in body["days"]] == ["2025-12-30"]
    assert body["days"][0]["day_return"] == pytest.approx(-0.01 if 48 % 3 == 0 else 0.01)
    assert (await world.call("GET", DAILY + "?date=2026-02-01"))[1]["days"] == []
    assert (await world.call("GET", DAILY + "?date=2020-01-01"))[1]["days"] == []


async def test_months_multiply_to_the_whole(world):
    _, body, _ = await world.call("GET", MONTHLY)
    assert [one["month"] for one in body["months"]] == ["2025-12", "2025-11"]
    assert sum(one["days"] for one in body["months"]) == 50
    whole = np.prod([1 + one["month_return"] for one in body["months"]])
    assert whole == pytest.approx(world.services.paper.by_day.equity[-1] / 10_000)
    assert (body["months"][0]["best_day"], body["months"][0]["worst_day"]) == (
        pytest.approx(0.01), pytest.approx(-0.01),
    )  # fmt: skip


async def test_worth_of_the_curve(world):
    _, body, _ = await world.call("GET", WORTH)
    assert (body["days"], body["enough"], body["since"]) == (50, True, "2025-11-12")
    assert (body["positive_days"], body["negative_days"], body["flat_days"]) == (33, 17, 0)
    equity = world.services.paper.by_day.equity
    assert body["total_return"] == pytest.approx(equity[-1] / 10_000 - 1)
    returns = equity / np.concatenate([[10_000.0], equity[:-1]]) - 1
    sharpe = returns.mean() / returns.std(ddof=1) * np.sqrt(365.25)
    assert body["sharpe"] == pytest.approx(sharpe)
    assert 0 < body["current_drawdown"] <= body["max_drawdown"] or body["current_drawdown"] == 0


@pytest.mark.parametrize("n", [0, 1, 19])
async def test_few_days_have_no_ratios(world, n):
    world.services.paper.by_day = by_day(n)
    _, body, _ = await world.call("GET", WORTH)
    assert (body["days"], body["enough"], body["least_days"]) == (n, False, 20)
    assert {body[name] for name in ("sharpe", "sortino", "calmar", "annualised_return")} == {None}
    assert (body["total_return"] is None) == (n == 0)
    assert (await world.call("GET", MONTHLY))[1]["months"] == [] or n


@pytest.mark.parametrize("path", [DAILY, MONTHLY, WORTH])
async def test_before_there_is_an_account(world, path):
    world.services.paper.now = None
    assert (await world.refused(503, "GET", path))["code"] == "no_account"


@pytest.mark.parametrize(
    "bad", ["days=0", "days=367", "date=2026-02-30", "date=today", "date=2026-13-01", "month=1"]
)
async def test_bad_query_is_refused(world, bad):
    await world.refused(422, "GET", f"{DAILY}?{bad}")
