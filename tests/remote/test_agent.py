"""A remote agent: its parameters follow the server, and what is set is in force there."""

import pandas as pd
import pytest
from looking import until

import opportunity as op
from opportunity.errors import ConflictError, OpportunityError
from opportunity.remote.agent import RemoteAgent
from opportunity.remote.problems import RemoteError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("opportunity.remote.backoff.FIRST_S", 0.01)
    monkeypatch.setattr("opportunity.remote.agent.FRAME_S", 0.01)


@pytest.fixture
def remote(address, scripted):
    with op.connect(address) as made:  # and its second look, once the stream is confirmed
        weights = ("GET", "/api/config/weights")
        until(lambda: [one[:2] for one in scripted.asked].count(weights) > 1)
        yield made


def signal(symbol="BTC/USDT", seq=1, score=0.8):
    return {
        "type": "signal", "symbol": symbol, "direction": "BULLISH", "score": score, "seq": seq,
        "epoch": "e1", "confidence": 0.5, "risk_level": "LOW", "ts": 60_000,
        "source": "simulated", "timeframes": {"1h": score},
    }  # fmt: skip


def test_it_begins_as_the_server_is(remote, scripted):
    assert (remote.enabled, remote.scan_interval_ms, remote.running) == (True, 30_000, True)
    assert (remote.source, remote.last_scan_at, remote.last_error) == ("simulated", 5, "")
    assert remote.weights.as_dict() == scripted.weights
    assert remote.rules.as_dict() == scripted.rules
    assert remote.symbols == ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def test_it_has_the_parameters_of_the_local_one():
    local = {n for n in op.Agent.param if n not in ("name", "n_scans")}
    assert local <= set(RemoteAgent.param)


def test_the_switch_is_in_force_when_it_returns(remote, scripted):
    remote.enabled = False
    assert scripted.enabled is False
    remote.scan_interval_ms = 5_000
    assert scripted.interval == 5_000


def test_a_refused_switch_is_set_back(remote, scripted):
    scripted.failures = [500]
    with pytest.raises(RemoteError):
        remote.enabled = False
    assert remote.enabled is True
    assert scripted.enabled is True


def test_weights_are_scaled_and_in_force_when_it_returns(remote, scripted):
    remote.weights.smc = 0.4
    assert sum(scripted.weights.values()) == pytest.approx(1)
    assert scripted.weights["smc"] == pytest.approx(0.4 / 1.2)
    assert remote.weights.as_dict() == scripted.weights


def test_nobodys_change_is_overwritten(remote, scripted):
    scripted.version += 1
    with pytest.raises(ConflictError, match="somebody else"):
        remote.weights.smc = 0.4
    assert remote.weights.smc == 0.2


def test_all_weights_zero_are_refused_here(remote, scripted):
    with pytest.raises(ValueError, match="must be > 0"):
        remote.weights.update(dict.fromkeys(remote.weights.as_dict(), 0.0))
    assert remote.weights.total == pytest.approx(1)


def test_rules_are_sent(remote, scripted):
    remote.rules.update(threshold=0.7, direction="BULLISH")
    assert (scripted.rules["threshold"], scripted.rules["direction"]) == (0.7, "BULLISH")


def test_what_others_change_arrives(remote, scripted, elsewhere):
    until(lambda: remote.line == "connected" and scripted.sockets[0]["channels"] >= {"config"})
    new = dict(scripted.weights, smc=0.1, sar=0.2)
    scripted.weights, scripted.version, scripted.enabled = new, 2, False
    elsewhere.run(scripted.happen("config", what="weights", value=new, version=2, by="page"))
    elsewhere.run(scripted.happen("config", what="agent", value={"enabled": False}, version=None))
    until(lambda: not remote.enabled)
    assert remote.weights.as_dict() == new
    remote.weights.smc = 0.3  # the version came along, so it is no conflict
    assert scripted.version == 3


def test_signals_become_a_table_once_for_a_burst(remote, scripted, elsewhere):
    until(lambda: scripted.sockets and "signal" in scripted.sockets[0]["channels"])
    frames = []
    remote.param.watch(lambda event: frames.append(event.new), "signals")
    for number in range(50):
        elsewhere.run(scripted.say(signal("BTC/USDT", number + 1, number / 100)))
    elsewhere.run(scripted.say(signal("ETH/USDT")))
    until(lambda: remote.signals is not None and len(remote.signals) == 2)
    assert isinstance(remote.signals, pd.DataFrame)
    assert remote.signals.loc["BTC/USDT", "score"] == 0.49
    assert len(frames) < 51
    assert len(remote.signal_log()) == 51
    assert "simulated" in remote._repr_html_()


def test_symbols_that_are_refused_are_told(remote, scripted, elsewhere):
    until(lambda: scripted.sockets)
    elsewhere.run(scripted.say({
        "type": "subscription_confirmed", "epoch": "e1", "symbols": [],
        "rejected": [{"symbol": "NOPE", "reason": "not watched"}],
    }))
    until(lambda: remote.rejected)
    assert remote.rejected == {"NOPE": "not watched"}


def test_a_status_that_was_under_way_turns_nothing_back(remote, scripted, elsewhere):
    heard = []
    remote.on("status", heard.append)
    until(lambda: scripted.sockets)
    remote.enabled = False
    elsewhere.run(scripted.say({"type": "status", "late": 1, "agent": {"enabled": True}}))
    until(lambda: any("late" in message for message in heard))
    assert remote.enabled is False


def test_events_are_kept_and_told(remote, scripted, elsewhere):
    heard = []
    leave = remote.on("trade", heard.append)
    until(lambda: scripted.sockets and "trade" in scripted.sockets[0]["channels"])
    elsewhere.run(scripted.happen("trade", event="fill"))
    elsewhere.run(scripted.happen("alert", event="breaker"))
    until(lambda: remote.alerts)
    assert [m["event"] for m in remote.trades] == ["fill"]
    assert [m["seq"] for m in heard] == [1]
    leave()
    elsewhere.run(scripted.happen("trade", event="trade"))
    until(lambda: len(remote.trades) == 2)
    assert len(heard) == 1


def test_an_unknown_channel_is_refused(remote):
    with pytest.raises(ValueError, match="Did you mean 'trade'"):
        remote.on("trades", print)


def test_the_account_follows(remote, scripted, elsewhere):
    until(lambda: scripted.sockets and "portfolio" in scripted.sockets[0]["channels"])
    elsewhere.run(scripted.say({"type": "portfolio", "seq": 1, "epoch": "e1",
                                "portfolio": {"equity": 10_000.0}}))
    until(lambda: remote.portfolio)
    assert remote.portfolio["equity"] == 10_000.0


def test_it_can_be_asked_anything(remote, scripted):
    assert remote.get("/api/agent/config")["timeframes"] == ["1h"]
    assert remote.post("/api/echo", {"a": 1}) == {"body": {"a": 1}}


async def test_on_a_running_loop_it_tells_there(scripted, elsewhere, address):
    import asyncio
    import threading

    heard = asyncio.Event()
    threads = []
    remote = await asyncio.to_thread(op.connect, address)  # no loop there: told on its thread
    await remote.stop()
    remote = op.connect(address)
    remote.param.watch(
        lambda event: (threads.append(threading.current_thread().name), heard.set()), "portfolio"
    )
    await asyncio.to_thread(
        until, lambda: scripted.sockets and "portfolio" in scripted.sockets[-1]["channels"]
    )
    message = {"type": "portfolio", "portfolio": {"equity": 1.0}, "seq": 1, "epoch": "e1"}
    await asyncio.to_thread(elsewhere.run, scripted.say(message))
    await asyncio.wait_for(heard.wait(), 30)
    await remote.stop()
    assert threads == [threading.current_thread().name]


def test_nobody_there_is_told_at_once():
    with pytest.raises(OpportunityError, match="no answer from"):
        op.connect("http://127.0.0.1:9")


def test_a_wrong_token_is_told_at_once_and_never_shown(scripted, address):
    scripted.token = "opp_right"
    with pytest.raises(RemoteError, match="token is needed") as caught:
        op.connect(address, "opp_wrong")
    assert caught.value.status == 401
    assert "opp_wrong" not in str(caught.value)


def test_closed_twice_is_closed(address):
    remote = op.connect(address)
    remote.close()
    remote.close()
    assert remote.line == "disconnected"


def test_a_watcher_that_raises_ends_nothing(remote, scripted, elsewhere):
    until(lambda: scripted.sockets and "trade" in scripted.sockets[0]["channels"])
    heard, others = [], []

    def raising(message):
        heard.append(message["n"])
        raise ValueError("of the program's own")

    leave = remote.on("trade", raising)
    remote.on("trade", lambda message: others.append(message["n"]))
    remote.param.watch(lambda event: remote.refresh(), "enabled")  # raises ThreadError there
    for n in range(3):
        elsewhere.run(scripted.happen("trade", n=n))
        elsewhere.run(scripted.happen("config", what="agent", value={"enabled": bool(n % 2)}))
    until(lambda: others == [0, 1, 2])
    assert heard == [0, 1, 2]
    leave()
    elsewhere.run(scripted.happen("trade", n=3))
    until(lambda: others == [0, 1, 2, 3])
    assert heard == [0, 1, 2]
    assert (remote.line, scripted.handshakes) == ("connected", 1)


def test_what_was_turned_before_the_stream_told_of_it_is_read(scripted, elsewhere, address):
    whole = scripted._stream

    async def late(request):  # turned between the first reading and the stream
        scripted.weights = dict(scripted.weights, smc=0.9)
        scripted.version, scripted.interval = 7, 700
        return await whole(request)

    scripted.before_stream = late
    with op.connect(address) as remote:
        until(lambda: remote.weights.smc == 0.9)
        until(lambda: remote.scan_interval_ms == 700)
        remote.weights.smc = 0.5  # under the version of then


def test_what_was_lost_is_read_again(remote, scripted, elsewhere):
    until(lambda: scripted.sockets and "config" in scripted.sockets[0]["channels"])
    elsewhere.run(scripted.happen("trade", n=1))
    until(lambda: len(remote.trades) == 1)
    scripted.epoch, scripted.rules = "e2", scripted.rules | {"threshold": 0.9}  # restored
    scripted.log.clear()
    elsewhere.run(scripted.drop())
    until(lambda: remote.rules.threshold == 0.9)


def test_an_older_change_does_not_undo_a_newer_one(remote, scripted, elsewhere):
    remote.weights.smc = 0.4
    newest, old = remote.weights.as_dict(), dict(remote.weights.as_dict(), smc=0.1)
    elsewhere.run(scripted.happen("config", what="weights", value=old, version=1))
    elsewhere.run(scripted.happen("trade", n=1))
    until(lambda: len(remote.trades) == 1)
    assert remote.weights.as_dict() == newest
    remote.weights.smc = 0.3  # its version is that of the newest


def test_closed_it_says_so(address):
    remote = op.connect(address)
    remote.close()
    with pytest.raises(RemoteError, match="must be open, was closed"):
        remote.get("/api/agent/status")
