"""The agent's side: who asks from a cursor on gets each change, who takes parcels all of them."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from app.api.messages import Message
from app.edge import relay as module
from app.edge.relay import Relay
from opportunity.bus.parcel import Parcel
from opportunity.contracts.realtime import Channel


def message(channel: Channel, seq: int, key: str = "") -> Message:
    return Message(channel, key, seq, "e1", orjson.dumps({"seq": seq}))


class FakeSource:
    """A source of a few states."""

    epoch, symbols, subscribed, enabled = "e1", ("BTC/USDT", "ETH/USDT"), ("BTC/USDT",), True

    def __init__(self) -> None:
        self.callback: Any = None
        self.status = 0

    def newest(self, channel: Channel, key: str = "") -> Message | None:
        return message(channel, 3, key) if (channel, key) == ("signal", "BTC/USDT") else None

    def newest_of(self, channel: Channel) -> list[Message]:
        self.status += channel == "status"
        return [message(channel, self.status)] if channel == "status" else []

    def seqs(self) -> dict[Channel, int]:
        return {"config": 4, "trade": 0, "alert": 0}

    def listen(self, callback: Any, wants: Any = None) -> Callable[[], None]:
        self.callback = callback

        def leave() -> None:
            self.callback = None

        return leave


class Taker:
    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.hurried = 0

    def offer(self, parcels: Sequence[Parcel]) -> None:
        self.parcels += parcels

    def hurry(self) -> None:
        self.hurried += 1


def made(on_revoked: Any = None) -> tuple[Relay, Any]:
    source: Any = FakeSource()
    return Relay(source, on_revoked), source


def places(relay: Relay, run: str, cursor: int) -> list[tuple[str, str, int]]:
    return [(one.channel, one.key, one.seq) for one in relay.changes(run, cursor).states]


async def test_changes_are_those_since_the_cursor_in_the_order_they_came() -> None:
    relay, source = made()
    first = relay.changes("", 0)
    assert {one.channel for one in first.states} == {"signal", "status"}
    assert places(relay, relay.run, first.cursor) == []
    source.callback([message("price", 5, "BTC/USDT"), message("price", 6, "ETH/USDT")])
    source.callback([message("price", 7, "BTC/USDT"), message("config", 5)])
    assert places(relay, relay.run, first.cursor) == [
        ("price", "ETH/USDT", 6), ("price", "BTC/USDT", 7),
    ]  # fmt: skip
    assert len(places(relay, "another run", first.cursor)) == 4
    assert relay.changes(relay.run, 0).states[-1].data == {"seq": 7}
    relay.close()
    assert source.callback is None


async def test_who_takes_parcels_gets_the_newest_states_and_then_all() -> None:
    relay, source = made()
    taker = Taker()
    relay.give(taker)
    assert {p.channel for p in taker.parcels} <= {"signal", "status"}
    taker.parcels.clear()
    source.callback([message("config", 5), message("price", 6, "BTC/USDT")])
    assert taker.parcels == [
        Parcel("config", "", 5, "e1", b'{"seq":5}', event=True),
        Parcel("price", "BTC/USDT", 6, "e1", b'{"seq":6}'),
    ]
    relay.close()


async def test_the_beat_tells_the_facts() -> None:
    relay, _ = made()
    told = orjson.loads(relay.beat())
    assert told == {
        "epoch": "e1", "seqs": {"config": 4, "trade": 0, "alert": 0}, "enabled": True,
        "symbols": ["BTC/USDT", "ETH/USDT"], "subscribed": ["BTC/USDT"], "n_revoked": 0,
        "revoked": [], "run": relay.run,
    }  # fmt: skip
    assert made()[0].run != relay.run


async def test_status_is_looked_at_again_after_a_while(monkeypatch: Any) -> None:
    relay, source = made()
    taker = Taker()
    relay.give(taker)
    taker.parcels.clear()
    relay.beat()
    relay.beat()
    assert len([p for p in taker.parcels if p.channel == "status"]) == 1
    monkeypatch.setattr(module, "STATUS_S", 0.0)
    relay.beat()
    assert len([p for p in taker.parcels if p.channel == "status"]) == 2
    assert source.status > 2


async def test_who_is_revoked_is_told_at_once_within_bounds() -> None:
    told: list[Callable[[str], None]] = []
    left: list[int] = []

    def on_revoked(callback: Callable[[str], None]) -> Callable[[], None]:
        told.append(callback)
        return lambda: left.append(1)

    relay, _ = made(on_revoked)
    taker = Taker()
    relay.give(taker)
    for n in range(module.MOST_REVOKED + 5):
        told[0](f"t{n}")
    facts = relay.facts()
    assert facts.n_revoked == module.MOST_REVOKED + 5
    assert facts.revoked == [f"t{n}" for n in range(5, module.MOST_REVOKED + 5)]
    assert taker.hurried == module.MOST_REVOKED + 5
    relay.close()
    assert left == [1]


async def test_connections_elsewhere_are_counted_until_an_edge_is_gone(monkeypatch: Any) -> None:
    source: Any = FakeSource()
    stats = {"connections": 1}
    relay = Relay(source, None, stats)
    relay.note("a", 3)
    relay.note("b", 4)
    relay.note("a", 5)
    relay.note("", 99)
    assert stats == {"connections": 1, module.ELSEWHERE: 9}
    monkeypatch.setattr(module, "MOST_EDGES", 2)
    relay.note("c", 100)
    assert stats[module.ELSEWHERE] == 9
    monkeypatch.setattr(module, "FORGOTTEN_S", -1.0)
    relay.beat()
    assert stats[module.ELSEWHERE] == 0
    relay.close()
