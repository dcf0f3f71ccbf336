"""Against the real services: switch, weights, signals, a backtest as a job."""

import asyncio

import pandas as pd
import pytest
from looking import Elsewhere, until
from served import build, settings_of
from tornado.httpserver import HTTPServer
from tornado.web import Application

import opportunity as op
from app.api import install, routes
from opportunity.remote.problems import RemoteError


class Real:
    """The services behind a socket, on a loop elsewhere."""

    async def start(self, folder):
        settings = settings_of(folder, speed=1_200.0, scan_interval_ms=500)
        self.services = build(settings)
        await self.services.start()
        application = Application(routes(self.services))
        self.realtime = install(application, self.services)
        self.server = HTTPServer(application)
        self.server.listen(0, "127.0.0.1")
        self.port = next(iter(self.server._sockets.values())).getsockname()[1]

    async def stop(self):
        self.server.stop()
        await self.realtime.close()
        await self.server.close_all_connections()
        await self.services.stop()
        await asyncio.get_running_loop().shutdown_default_executor()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    elsewhere, made = Elsewhere(), Real()
    elsewhere.run(made.start(tmp_path_factory.mktemp("real")))
    yield made
    elsewhere.run(made.stop())
    elsewhere.close()


@pytest.fixture
def remote(real):
    with op.connect(f"http://127.0.0.1:{real.port}") as made:
        yield made


def test_signals_stream_in(remote):
    until(lambda: remote.signals is not None and len(remote.signals) == 3)
    assert set(remote.signals["source"]) == {"simulated"}
    assert remote.signals["score"].between(0, 1).all()


def test_what_is_set_is_in_force(real, remote):
    remote.enabled = False
    assert real.services.agent.enabled is False
    remote.enabled = True
    remote.weights.update(op.PRESETS["aggressive"])
    assert real.services.weights.as_dict() == pytest.approx(op.PRESETS["aggressive"])
    remote.rules.threshold = 0.55
    assert real.services.rules.threshold == 0.55


def test_what_others_set_arrives(real, remote):
    until(lambda: remote.line == "connected")
    with op.connect(f"http://127.0.0.1:{real.port}") as other:
        other.weights.update(op.PRESETS["conservative"])
        until(lambda: remote.weights.as_dict() == pytest.approx(op.PRESETS["conservative"]))
        remote.weights.smc = 0.3  # and nobody's version is stale
        until(lambda: other.weights.smc == pytest.approx(0.3 / 1.15))


def test_a_scan_and_a_score(remote):
    ranking = remote.scan(timeframes=["5m", "1h"], rules={"exclude_neutral": False})
    assert {"symbol", "direction", "final_score"} <= set(ranking.columns)
    assert remote.score("BTCUSDT", "1h")["symbol"] == "BTC/USDT"


def test_a_backtest_is_a_job(remote):
    job = remote.backtest("BTC/USDT", "2025-10-01", "2025-12-01", timeframe="1h")
    assert job.wait(120).state == "done"
    assert job.progress == 1
    equity = job.equity()
    assert isinstance(equity.index, pd.DatetimeIndex)
    assert equity.iloc[0] == pytest.approx(10_000, rel=0.05)
    assert len(job.trades()) == job.metrics["total_trades"]
    with pytest.raises(RemoteError, match="nothing to stop"):
        job.cancel()


async def test_a_backtest_is_awaited(real):
    remote = op.connect(f"http://127.0.0.1:{real.port}")
    job = await asyncio.to_thread(remote.backtest, "ETH/USDT", "2025-11-01", "2025-12-01")
    assert (await asyncio.wait_for(job.done(), 120)).ended
    await remote.stop()


def test_what_is_refused_says_why(remote):
    with pytest.raises(RemoteError, match="symbol"):
        remote.backtest("NO/SUCH", "2025-11-01", "2025-12-01")
