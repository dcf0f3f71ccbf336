"""Against a local exchange on loopback, and against none."""

import socket

import pytest

from app.doctor.exchange import Target, check_exchange, judge_skew
from app.exchange.server import LocalExchange
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.exchange.venue.bans import Ban, Bans
from tests.feeds.exchange.scripted import Reply, Scripted


def target(url, home, name="binance", needed=True):
    return Target(name, url, home, needed, wall_ms)


def verdicts(checks):
    return {c.name: c.verdict for c in checks}


async def test_healthy_exchange(tmp_path):
    async with LocalExchange(3) as exchange:
        checks = await check_exchange(target(exchange.url, tmp_path))
    assert verdicts(checks) == dict.fromkeys(
        ("bans", "connect", "markets", "bars", "clock", "websocket"), "OK"
    )
    assert "3 spot markets of binance (simulated)" in checks[2].text


@pytest.mark.parametrize(
    ("late_s", "verdict"), [(0, "OK"), (2, "WARN"), (-3, "WARN"), (7, "FAIL"), (-60, "FAIL")]
)
async def test_clock_of_this_machine(tmp_path, late_s, verdict):
    async with LocalExchange(2, speed=1.0, start_ms=wall_ms() + late_s * 1_000) as exchange:
        exchange.clock.start(wall_ms() + late_s * 1_000)
        checks = await check_exchange(target(exchange.url, tmp_path))
    assert verdicts(checks)["clock"] == verdict


@pytest.mark.parametrize(
    ("skew_ms", "verdict"),
    [(1_000, "OK"), (-1_000, "OK"), (1_001, "WARN"), (-5_000, "WARN"), (5_001, "FAIL")],
)
def test_skew_is_judged(skew_ms, verdict):
    check = judge_skew(skew_ms, "binance")
    assert check.verdict == verdict
    assert ("behind binance" in check.text) == (skew_ms > 0)
    assert (check.advice == "") == (verdict == "OK")


@pytest.mark.parametrize(("needed", "verdict"), [(True, "FAIL"), (False, "WARN")])
async def test_nobody_listens(tmp_path, needed, verdict):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    checks = await check_exchange(target(f"http://127.0.0.1:{port}", tmp_path, needed=needed))
    assert verdicts(checks) == {"bans": "OK", "connect": verdict}
    assert "Connection refused" in checks[-1].text
    assert checks[-1].advice == "start it: `opportunity exchange`"


async def test_ban_in_force_is_told_and_nothing_is_asked(tmp_path):
    async with LocalExchange(2) as exchange:
        now = wall_ms()
        port = exchange.url.rpartition(":")[2]
        path = tmp_path / "bans" / f"binance-127.0.0.1-{port}.json"
        Bans(path).write(Ban(now, now + 600_000, "banned", 1))
        checks = await check_exchange(target(exchange.url, tmp_path))
    assert verdicts(checks) == {"bans": "FAIL"}
    assert "has locked this address out until" in checks[0].text


async def test_unknown_name(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'kraken'"):
        await check_exchange(target("", tmp_path, name="krakn"))


async def test_the_proxy_of_the_environment_is_dialled_first(tmp_path, monkeypatch):
    with socket.socket() as taken:  # bound, but nobody listens: it is the proxy that is dialled
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.delenv("https_proxy", raising=False)
        checks = await check_exchange(target("", tmp_path))
    assert [c.name for c in checks] == ["bans", "proxy", "connect"]
    assert checks[-1].verdict == "FAIL"
    assert "secret" not in " ".join(c.line() for c in checks)


async def test_a_place_that_is_not_served_is_not_blamed_on_the_network(tmp_path):
    barred = {"code": 0, "msg": "Service unavailable from a restricted location"}
    async with Scripted() as server:
        server.answers["/api/v3/exchangeInfo"] = Reply(barred, 451)
        check = (await check_exchange(target(server.url, tmp_path)))[-1]
    assert check.verdict == "FAIL"
    assert "does not serve the place" in check.text
    assert "docs/exchanges.md" in check.advice
