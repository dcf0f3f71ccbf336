"""Backtests over HTTP: the contract, the queue, what is refused; over the real engine."""

import asyncio
import csv
import io
import json
import threading

import pytest
import websockets
from walks import LAST, START

from app import jobs as jobs_module
from app.api import backtest as module
from app.jobs import QueueFullError
from opportunity.errors import BarError, CoverageError

RUN = "/api/backtest/run"
DAY = 24 * 3_600_000
EAGER = {"min_score": 0.5, "min_confidence": 0.0, "max_disagreement": 1.0}
BODY = {
    "symbol": "BTCUSDT", "start_date": "2024-01-01", "end_date": "2024-01-21", "rules": EAGER,
    "timeframes": ["1h", "4h"],
}  # fmt: skip


async def ended(world, id_, state="done"):
    jobs = world.services.backtests.jobs
    assert await jobs.wait(jobs.find(id_), 30)
    status, job, _ = await world.call("GET", f"/api/backtest/jobs/{id_}")
    assert (status, job["state"]) == (200, state), job
    return job


async def test_a_small_one_is_answered_at_once_in_the_contract(world):
    status, body, headers = await world.call("POST", RUN, json=BODY)
    assert status == 200, body
    assert headers["Content-Location"] == f"/api/backtest/results/{body['id']}"
    assert body["source"] == "simulated"
    first, last = body["equity_series"][0], body["equity_series"][-1]
    assert set(first) == {"ts", "equity"}
    assert (first["ts"], last["ts"]) == (START + 3_600_000, START + 20 * DAY)
    assert body["equity_points"] == 20 * 24
    metrics = body["metrics"]
    wanted = {"sharpe", "sortino", "max_drawdown", "win_rate", "total_trades", "profit_factor"}
    assert wanted <= set(metrics)
    assert 0 <= metrics["max_drawdown"] < 1
    assert metrics["total_trades"] == body["trades_total"] == len(body["trades"]) > 3
    trade = body["trades"][0]
    assert START <= trade["entry_ts"] < trade["exit_ts"]
    assert trade["side"] in ("LONG", "SHORT")
    assert trade["exit_reason"] in ("SL", "TP", "TIME", "SIGNAL", "END_OF_TEST")
    total = sum(trade["profit"] for trade in body["trades"])
    assert last["equity"] == pytest.approx(10_000 + total)
    assert body["funding"] is None
    assert metrics["funding"] is None
    assert body["config"]["costs"] == {"fee": 0.0005, "slippage": 0.001, "spread": 0.0}
    assert body["config"]["cash"] == 10_000
    assert body["capsule"]["id"]
    assert body["coverage"]["symbols"][0]["missing"] == 0
    assert any("simulated" in warning for warning in body["warnings"])
    again, _, _ = await world.call("GET", headers["Content-Location"])
    assert again == 200


async def test_costs_capital_and_weights_of_the_request_count(world):
    more = {"fee": 0.0, "slippage": 0.0, "initial_capital": 500.0,
            "weights": {n: float(n == "sar") for n in (
                "harmonic", "elliott", "smc", "fibonacci", "price_action", "sar", "sentiment",
                "news", "whales")}}  # fmt: skip
    _, dear, _ = await world.call("POST", RUN, json=BODY)
    _, free, _ = await world.call("POST", RUN, json=BODY | more)
    assert dear["metrics"]["fees"] > 0
    assert free["metrics"]["fees"] == free["metrics"]["slippage"] == 0
    assert free["equity_series"][0]["equity"] == 500
    assert free["config"]["weights"]["sar"] == 1
    assert free["capsule"]["id"] != dear["capsule"]["id"]
    await world.refused(400, "POST", RUN, json=BODY | {"weights": more["weights"] | {"smc": 1.0}})
    scaled = BODY | {"weights": more["weights"] | {"smc": 1.0}}
    _, body, _ = await world.call("POST", RUN + "?normalize=true", json=scaled)
    assert body["config"]["weights"]["smc"] == 0.5


async def test_the_same_request_is_the_same_result(world):
    _, one, _ = await world.call("POST", RUN, json=BODY)
    _, two, _ = await world.call("POST", RUN, json=BODY)
    assert one.pop("id") != two.pop("id")
    assert one == two


async def test_a_portfolio_shares_its_cash(world):
    asked = {k: v for k, v in BODY.items() if k != "symbol"} | {"symbols": ["BTCUSDT", "ETH-USDT"]}
    status, body, _ = await world.call("POST", RUN, json=asked)
    assert status == 200, body
    assert {trade["symbol"] for trade in body["trades"]} == {"BTC/USDT", "ETH/USDT"}


async def test_a_job_is_accepted_watched_read_and_downloaded(world):
    status, job, headers = await world.call("POST", RUN + "?wait=false", json=BODY)
    assert status == 202
    assert headers["Location"] == f"/api/backtest/jobs/{job['id']}"
    assert job["state"] in ("queued", "running")
    assert job["about"]["symbols"] == ["BTC/USDT"]
    job = await ended(world, job["id"])
    assert (job["progress"], job["left_s"], job["error"]) == (1.0, 0.0, None)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    status, body, _ = await world.call("GET", job["result"] + "?points=50&trades=2")
    assert status == 200
    assert len(body["equity_series"]) <= 50
    assert body["equity_points"] == 480
    assert len(body["trades"]) == 2 < body["trades_total"]
    problem = await world.refused(409, "DELETE", f"/api/backtest/jobs/{job['id']}")
    assert problem["code"] == "finished"


async def test_exports_are_files(world):
    _, body, _ = await world.call("POST", RUN, json=BODY)
    url = f"{world.url}/api/backtest/export/{body['id']}"
    seen = {}
    for format_ in ("csv", "json", "parquet", "html"):
        async with world.http.get(url, params={"format": format_}) as answer:
            assert answer.status == 200
            name = f"backtest_{body['id']}.{format_}"
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            seen[format_] = await answer.read()
    rows = list(csv.reader(io.StringIO(seen["csv"].decode())))
    head = rows.index([])
    assert ["config.seed", "0"] in rows[:head]
    assert rows[head + 1][:3] == ["Trade ID", "Symbol", "Entry Time"]
    assert len(rows) - head - 2 == body["trades_total"]
    assert json.loads(seen["json"])["source"] == "simulated"
    assert seen["parquet"][:4] == b"PAR1"
    assert b"<svg" in seen["html"]
    problem = await world.refused(422, "GET", f"/api/backtest/export/{body['id']}?format=xlsx")
    assert problem["field"] == "format"


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"symbol": None}, 422, "invalid", None),
        ({"symbols": ["BTCUSDT"]}, 422, "invalid", None),
        ({"symbol": "??"}, 422, "invalid", "symbol"),
        ({"symbol": "NOPE/USDT"}, 404, "unknown_symbol", "symbol"),
        ({"start_date": "01/02/2024"}, 422, "invalid", "start_date"),
        ({"start_date": "1999-01-01"}, 422, "invalid", "start_date"),
        ({"start_date": 1_704_067_200_000}, 422, "invalid", "start_date"),
        ({"end_date": "2024-01-01"}, 400, "contradiction", None),
        ({"initial_capital": 0}, 422, "invalid", "initial_capital"),
        ({"initial_capital": "10000"}, 422, "invalid", "initial_capital"),
        ({"fee": 0.2}, 422, "invalid", "fee"),
        ({"fee": -0.001}, 422, "invalid", "fee"),
        ({"slippage": 5}, 422, "invalid", "slippage"),
        ({"surprise": 1}, 422, "invalid", "surprise"),
        ({"rules": {"min_scroe": 0.6}}, 422, "invalid", "rules.min_scroe"),
        ({"rules": {"min_score": 0.2}}, 422, "invalid", "rules.min_score"),
        ({"rules": {"targets_r": [2, 1]}}, 400, "contradiction", None),
        ({"rules": {"targets_r": [1, 2], "shares": [1.0]}}, 400, "contradiction", None),
        ({"rules": {"stop_atr": 0}}, 400, "contradiction", None),
        ({"risk": {"max_leverage": 0}}, 422, "invalid", "risk.max_leverage"),
        ({"sizing": {"kind": "all"}}, 422, "invalid", "sizing.kind"),
        ({"sizing": {"kind": "equity", "amount": 2}}, 400, "contradiction", None),
        ({"timeframes": ["1h", "1h30"]}, 422, "invalid", "timeframes.1"),
        ({"timeframes": ["30m"]}, 400, "contradiction", None),
        ({"timeframes": ["4h"], "decision_timeframe": "1h"}, 400, "contradiction", None),
        ({"timeframe": "1m", "start_date": "2010-01-01"}, 422, "invalid", "start_date"),
        ({"seed": -1}, 422, "invalid", "seed"),
        ({"exchange": "../etc"}, 422, "invalid", "exchange"),
        ({"start_date": "2023-06-01"}, 422, "missing_history", None),
        ({"end_date": "2024-06-01"}, 422, "missing_history", None),
    ],
)
async def test_what_is_wrong_is_refused_with_its_field(world, change, status, code, field):
    problem = await world.refused(status, "POST", RUN, json=BODY | change)
    assert problem["code"] == code
    if field:
        assert problem["field"] == field


async def test_missing_history_comes_with_what_there_is(world):
    problem = await world.refused(422, "POST", RUN, json=BODY | {"end_date": "2024-06-01"})
    report = problem["coverage"]
    assert report["asked"]["start"] == START
    assert report["symbols"][0]["last"] == LAST
    assert any("ends" in line for line in report["problems"])
    status, job, _ = await world.call(
        "POST", RUN + "?wait=false", json=BODY | {"end_date": "2024-06-01"}
    )
    assert status == 202
    failed = await ended(world, job["id"], "failed")
    assert failed["error"]["code"] == "missing_history"
    await world.refused(422, "GET", f"/api/backtest/results/{job['id']}")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CoverageError("nothing stored"), 422, "missing_history"),
        (BarError("bars must ascend"), 422, "bad_bars"),
        (ValueError("no"), 400, "contradiction"),
        (RuntimeError("the password is hunter2"), 500, "internal"),
    ],
)
async def test_a_failure_says_what_the_caller_can_mend(world, monkeypatch, error, status, code):
    def fail(*_):
        raise error

    monkeypatch.setattr(world.services.bars, "load", fail)
    problem = await world.refused(status, "POST", RUN, json=BODY)
    assert problem["code"] == code
    assert "hunter2" not in str(problem)


class Held:
    """Holds the worker inside the source until it is let go."""

    def __init__(self, world, monkeypatch):
        self.inside, self.go = threading.Event(), threading.Event()
        load = world.services.bars.load

        def wait(*asked):
            self.inside.set()
            assert self.go.wait(10)
            return load(*asked)

        monkeypatch.setattr(world.services.bars, "load", wait)

    async def begun(self):
        assert await asyncio.to_thread(self.inside.wait, 10)


async def test_cancel_really_stops(world, monkeypatch):
    held = Held(world, monkeypatch)
    _, running, _ = await world.call("POST", RUN + "?wait=false", json=BODY)
    await held.begun()
    _, waiting, _ = await world.call("POST", RUN + "?wait=false", json=BODY)
    assert waiting["place"] == 1
    problem = await world.refused(409, "GET", f"/api/backtest/results/{running['id']}")
    assert (problem["code"], problem["retry_after_s"]) == ("not_finished", 5)
    status, job, _ = await world.call("DELETE", f"/api/backtest/jobs/{waiting['id']}")
    assert (status, job["state"]) == (200, "cancelled")
    status, job, _ = await world.call("DELETE", f"/api/backtest/jobs/{running['id']}")
    assert (status, job["state"]) == (202, "cancelling")
    held.go.set()
    await ended(world, running["id"], "cancelled")
    problem = await world.refused(409, "GET", f"/api/backtest/results/{running['id']}")
    assert problem["code"] == "cancelled"
    status, _, _ = await world.call("DELETE", f"/api/backtest/jobs/{running['id']}")
    assert status == 200


async def test_a_slow_small_one_becomes_a_job(world, monkeypatch):
    monkeypatch.setattr(module, "SYNC_S", 0.01)
    held = Held(world, monkeypatch)
    status, job, headers = await world.call("POST", RUN, json=BODY)
    assert (status, headers["Location"]) == (202, f"/api/backtest/jobs/{job['id']}")
    held.go.set()
    await ended(world, job["id"])


async def test_a_job_survives_its_client(world, monkeypatch):
    held = Held(world, monkeypatch)
    call = asyncio.ensure_future(world.call("POST", RUN, json=BODY))
    await held.begun()
    call.cancel()
    await asyncio.wait([call])
    held.go.set()
    (job,) = world.services.backtests.jobs.all()
    await ended(world, job.id)


async def test_a_full_queue_asks_to_come_again(world, monkeypatch):
    held = Held(world, monkeypatch)
    await world.call("POST", RUN + "?wait=false", json=BODY)
    await held.begun()
    monkeypatch.setattr(jobs_module, "MOST_WAITING", 1)
    await world.call("POST", RUN + "?wait=false", json=BODY)
    problem = await world.refused(429, "POST", RUN, json=BODY)
    assert problem["code"] == "queue_full"
    assert problem["retry_after_s"] == 5
    assert issubclass(QueueFullError, Exception)
    held.go.set()


async def test_an_idempotency_key_names_one_job(world):
    asked = {"json": BODY, "headers": {"Idempotency-Key": "k-1"}}
    _, one, _ = await world.call("POST", RUN, **asked)
    _, two, _ = await world.call("POST", RUN, **asked)
    assert one["id"] == two["id"]
    other = {"json": BODY | {"seed": 5}, "headers": {"Idempotency-Key": "k-1"}}
    problem = await world.refused(422, "POST", RUN, **other)
    assert problem["code"] == "key_used"
    bad = {"json": BODY, "headers": {"Idempotency-Key": "k 1 \u00e4".encode().decode("latin1")}}
    problem = await world.refused(400, "POST", RUN, **bad)
    assert problem["code"] == "bad_key"


@pytest.mark.parametrize("what", ["jobs", "results", "export"])
async def test_an_unknown_id_is_not_found(world, what):
    problem = await world.refused(404, "GET", f"/api/backtest/{what}/0123")
    assert problem["code"] == "unknown_job"


async def test_the_stream_tells_how_jobs_go(world):
    url = f"ws://127.0.0.1:{world.port}/ws/realtime"
    async with websockets.connect(url, proxy=None) as ws, asyncio.timeout(20):
        assert json.loads(await ws.recv())["type"] == "status"
        await ws.send('{"action": "subscribe", "channels": ["backtest"]}')
        confirmed = json.loads(await ws.recv())
        assert confirmed["channels"] == ["backtest"]
        _, body, _ = await world.call("POST", RUN, json=BODY)
        seen = []
        while not seen or seen[-1]["state"] != "done":
            seen.append(json.loads(await ws.recv()))
        assert {m["type"] for m in seen} == {"backtest"}
        assert {m["id"] for m in seen} == {body["id"]}
        assert seen[-1]["result"] == f"/api/backtest/results/{body['id']}"
        assert [m["seq"] for m in seen] == sorted(m["seq"] for m in seen)
        assert seen[-1]["progress"] == 1.0
    async with websockets.connect(url, proxy=None) as ws, asyncio.timeout(20):
        await ws.recv()
        await ws.send('{"action": "subscribe", "channels": ["backtest"]}')
        await ws.recv()
        newest = json.loads(await ws.recv())
        assert (newest["id"], newest["state"]) == (body["id"], "done")
    assert world.realtime.broken == 0


SWEEP = {k: v for k, v in BODY.items() if k != "timeframes"} | {"timeframes": ["1h"], "n": 30}


async def test_a_sweep_is_a_job_and_tells_the_best(world):
    asked = SWEEP | {"objective": "sortino", "top": 3, "least_trades": 1}
    status, job, headers = await world.call("POST", "/api/backtest/sweep", json=asked)
    assert (status, job["kind"], job["about"]["n"]) == (202, "sweep", 30)
    assert headers["Location"] == f"/api/backtest/jobs/{job['id']}"
    job = await ended(world, job["id"])
    status, body, _ = await world.call("GET", job["result"] + "?points=50")
    assert status == 200, body
    assert (body["n"], body["objective"], body["source"]) == (30, "sortino", "simulated")
    assert body["trials"] == 30
    assert len(body["best"]) == 3
    assert body["best"][0]["weights"] == body["weights"]
    assert body["best"][0]["value"] == body["value"] >= body["equal_weights"]
    assert body["equity_points"] == 480
    assert len(body["equity_series"]) <= 50
    _, again, _ = await world.call("POST", "/api/backtest/run", json=BODY | {
        "timeframes": ["1h"], "weights": body["weights"]})  # fmt: skip
    assert again["metrics"]["sortino"] == pytest.approx(body["value"])
    problem = await world.refused(409, "GET", f"/api/backtest/export/{job['id']}")
    assert problem["code"] == "not_a_backtest"
    problem = await world.refused(409, "POST", "/api/weights/promote", json={"id": job["id"]})
    assert problem["code"] == "not_a_backtest"


async def test_a_sweep_can_be_stopped_and_odd_ones_are_refused(world, monkeypatch):
    held = Held(world, monkeypatch)
    _, job, _ = await world.call("POST", "/api/backtest/sweep", json=SWEEP)
    await held.begun()
    await world.call("DELETE", f"/api/backtest/jobs/{job['id']}")
    held.go.set()
    await ended(world, job["id"], "cancelled")
    many = {"symbol": None, "symbols": ["BTCUSDT", "ETHUSDT"], "n": 100_000, "timeframe": "5m"}
    odd = {"n": 0}, {"weights": {}}, {"method": "tpe", "n": 2_001}, {"objective": "x"}, many
    for change in odd:
        await world.refused(422, "POST", "/api/backtest/sweep", json=SWEEP | change)
