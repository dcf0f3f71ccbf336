"""A kept answer holds no longer than what it is made of."""

import inspect
from dataclasses import replace

import pytest
from rawhttp import HOT, plain, request

from app.api import resources
from app.api.hot_stamps import HOT as LISTED
from app.api.operations import operation_of
from opportunity.feeds.status import FeedStatus


def _set(name, value):
    def turn(world):
        setattr(world.services.agent, name, value)

    return turn


def _weights(world):
    return world.services.apply_weights({"smc": 0.5, "sar": 0.0}, by="test")


def _weights_in_python(world):
    world.services.weights.update(smc=0.6)


def _market(world):
    old = world.services.market
    world.services.market = replace(
        old, version=2, time=old.time + 1, price=2 * old.price, scores=-old.scores
    )


def _no_market(world):
    world.services.market = None


def _line(world):
    world.services.line = FeedStatus("live", "all well", 1, None, 2, 3, 4, 5.0, 6)


def _price(world):
    world.services.hub.publish("price", "BTC/USDT", (1_767_225_660_000, 1.0, 9.0, 1.0, 8.0, 6.0))


def _signal(world):
    world.services.publish_signal("ETH/USDT", 0.9)


TURNS = [
    ("status", _set("enabled", False)), ("status", _set("running", False)),
    ("status", _set("scan_interval_ms", 999)), ("status", _set("last_scan_at", 5)),
    ("status", _set("last_scan_ms", 7.5)), ("status", _set("next_scan_at", 6)),
    ("status", _set("last_error", "no")), ("status", _line),
    ("status", lambda world: world.services.subscribe(["BTCUSDT"])),
    ("weights", _weights), ("weights", _weights_in_python),
    ("price", _price), ("price", _market), ("price", _no_market),
    ("live", _signal), ("live", _set("enabled", False)),
    ("scanned", _weights), ("scanned", _market), ("scanned", _no_market),
    ("scanned", lambda world: world.services.set_rules({"threshold": 0.99}, by="test")),
    ("score", _weights), ("score", _weights_in_python), ("score", _market), ("score", _no_market),
    ("scan", _weights), ("scan", _market), ("scan", _no_market),
    ("scan", lambda world: world.services.set_rules({"threshold": 0.99}, by="test")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "turn"), TURNS)
async def test_what_changes_an_answer_is_in_its_stamp(world, hot, line, name, turn):
    raw = request(world, *HOT[name])
    old = plain(name, await line.ask(raw))
    assert plain(name, await line.ask(raw)) == old
    assert hot.n_again == 1
    done = turn(world)
    if inspect.isawaitable(done):
        await done
    answer = await line.ask(raw)
    assert answer != old
    if answer.startswith(b"HTTP/1.1 200"):
        assert plain(name, answer) != old
        assert plain(name, await line.ask(raw)) == plain(name, answer)


@pytest.mark.parametrize(("path", "body"), [
    ("/api/signals/score", b'{"timeframe": "1w"}'),
    ("/api/scanner/run", b'{"timeframes": ["1h", "1w"]}'),
    ("/api/scanner/run", b'{"weights": {"harmonic": 0.2, "elliott": 0.1, "smc": 0.2, '
     b'"fibonacci": 0.1, "price_action": 0.1, "sar": 0.1, "sentiment": 0.1, "news": 0.05, '
     b'"whales": 0.05}, "timeframes": ["1h"]}'),
    ("/api/signals/score", b'["not an object"]'), ("/api/signals/score", b'{"timeframe": '),
])  # fmt: skip
async def test_what_is_computed_anew_is_not_kept(world, hot, line, path, body):
    for _ in range(3):
        await line.ask(request(world, "POST", path, body))
    assert hot.n_again == 0


def test_every_listed_resource_is_there_and_only_reads():
    handlers = dict(resources())
    for method, path in LISTED:
        declared = operation_of(handlers[path], method)
        assert declared is not None, path
        assert declared.role.label == "viewer", path
