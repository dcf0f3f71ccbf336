"""Lines against a local exchange: whatever it does, frames flow again and nobody is left behind."""

import asyncio
import os
from collections import Counter
from typing import Any

import pytest

from app.exchange.server import LocalExchange
from opportunity.feeds.exchange.lines import lines as lines_module
from opportunity.feeds.exchange.lines import session, subjects
from opportunity.feeds.exchange.lines.line import LineSettings
from opportunity.feeds.exchange.lines.lines import Lines, settings_for
from opportunity.market.timeframe import MINUTE_MS
from tests.feeds.exchange.wires import HURRY, START, Heard, PuppetVenue, local, running

BARS = ("bars",)


async def flows(heard: Heard, rows: int, n_closed: int = 1) -> None:
    """Wait until each row has had some more closed bars."""
    begun = len(heard.frames)

    def enough() -> bool:
        seen = Counter(f.row for f in heard.frames[begun:] if f.closed)
        return len(seen) == rows and min(seen.values()) >= n_closed

    await heard.until(enough)


async def test_frames_flow_with_the_flag_and_the_first_connect_is_told() -> None:
    async with local() as (exchange, venue):
        heard = Heard()
        lines = Lines(venue, exchange.market.symbols, "1m", heard, HURRY, BARS)
        assert lines.state == "connecting"
        async with running(lines):
            await flows(heard, 3, 2)
            assert lines.state == "live"
            assert heard.connects == [[0, 1, 2]]
            assert lines.n_reconnects == 0
        frame = next(f for f in heard.frames if f.closed)
        asked = await venue.bars(exchange.market.symbols[frame.row], "1m", frame.time, 1)
        assert frame.values == pytest.approx(tuple(asked.values[0]))
        assert frame.at >= frame.time + MINUTE_MS
        assert frame.raw == ""
        assert any(f.closed is False for f in heard.frames)


FAULTS: dict[str, dict[str, Any]] = {
    "stall": {"for_s": 3.0},
    "half_open": {"for_s": 3.0},
    "drop": {"times": 1},
    "error_ack": {"times": 2},
    "handshake": {"times": 2, "status": 503, "retry_after_s": None},
    "bad_frame list": {"what": "list", "times": 20},
    "bad_frame cut": {"what": "cut", "times": 20},
    "bad_frame no_k": {"what": "no_k", "times": 20, "instead": True},
    "day_cut": {"age_s": 0.5, "for_s": 2.0},
    "maintenance": {"for_s": 1.5},
}


def ordered(exchange: LocalExchange, name: str) -> str:
    """Order a fault; return the kind that its strikes are counted by."""
    kind = name.split()[0]
    exchange.faults.order({"kind": kind, **FAULTS[name]})
    return kind


SLOW = ("bad_frame list", "bad_frame no_k")  # as one of its kind, but for what stands in it


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in FAULTS
])
async def test_frames_flow_again_after(name: str) -> None:
    async with local() as (exchange, venue):
        heard = Heard()
        if name in ("error_ack", "handshake"):  # these strike at the dial
            ordered(exchange, name)
        lines = Lines(venue, exchange.market.symbols, "1m", heard, HURRY, BARS)
        async with running(lines):
            if name in ("error_ack", "handshake"):
                await flows(heard, 3)
                assert heard.losses
                assert heard.connects[-1] == [0, 1, 2]
                return
            await flows(heard, 3)
            kind = ordered(exchange, name)
            if name.startswith("bad_frame"):
                await heard.until(lambda: exchange.faults.injected[kind] >= 20)
            elif name == "maintenance":
                await heard.until(lambda: len(heard.losses) >= 1)
            else:
                await heard.until(lambda: len(heard.connects) >= 2)
                assert heard.losses
            await flows(heard, 3)
            assert lines.state == "live"
            assert heard.connects[-1] == [0, 1, 2]
            assert lines.n_reconnects == len(heard.connects) - 1


async def test_a_line_is_replaced_without_losing_a_bar() -> None:
    async with local() as (exchange, venue):
        heard = Heard()
        settings = LineSettings(silence_s=2.0, longest_silence_s=3.0, recycle_s=0.5, first_s=0.05)
        async with running(Lines(venue, exchange.market.symbols, "1m", heard, settings, BARS)):
            await flows(heard, 3)
            first = max(f.time for f in heard.frames if f.closed)
            await heard.until(lambda: len(heard.connects) >= 5)
            await flows(heard, 3)
        assert heard.losses == []
        seen = heard.closed()
        last = max(time for _, time in seen)
        assert last - first >= 3 * MINUTE_MS
        wanted = {(row, t) for row in range(3) for t in range(first, last + 1, MINUTE_MS)}
        assert wanted <= seen


async def test_without_a_tap_no_symbol_is_missed_in_the_burst_at_a_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (lines_module, session, subjects):
        monkeypatch.setattr(module, "TAPS", {})
    async with local(12, speed=120.0) as (exchange, venue):
        heard = Heard()
        kinds = ("bars", "prints")
        async with running(Lines(venue, exchange.market.symbols, "1m", heard, HURRY, kinds)):
            await heard.until(lambda: len({f.row for f in heard.frames}) == 12)
            begun = venue.clock.now() // MINUTE_MS * MINUTE_MS + MINUTE_MS
            await heard.until(lambda: venue.clock.now() > begun + 3 * MINUTE_MS)
            await heard.until(lambda: bool(heard.blocks))
        assert {f.closed for f in heard.frames} == {None}
        seen = {(f.row, f.time) for f in heard.frames}
        assert seen >= {(row, begun + k * MINUTE_MS) for row in range(12) for k in range(2)}
        final = {(f.row, f.time): f.values for f in heard.frames}
        for row in range(12):  # the closing frame of each bar was among what was heard
            asked = await venue.bars(exchange.market.symbols[row], "1m", begun, 1)
            assert final[row, begun] == pytest.approx(tuple(asked.values[0]))


@pytest.mark.slow
async def test_reconnects_leave_nothing_behind() -> None:
    async with local() as (exchange, venue):
        heard = Heard()
        async with running(Lines(venue, exchange.market.symbols, "1m", heard, HURRY)):
            exchange.faults.order({"kind": "drop", "period_s": 0.1, "for_s": 1.5})
            await heard.until(lambda: len(heard.connects) >= 2)
            few = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
            await heard.until(lambda: not exchange.faults.ordered(1))
            await flows(heard, 3)
            many = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
        assert many[0] <= few[0] + 8
        assert many[1] <= few[1] + 8


async def test_no_dial_goes_out_inside_a_ban() -> None:
    async with local() as (exchange, venue):
        heard = Heard()
        exchange.faults.order({"kind": "handshake", "status": 429, "retry_after_s": 60})
        async with running(Lines(venue, exchange.market.symbols, "1m", heard, HURRY, BARS)):
            await heard.until(lambda: bool(heard.losses))
            begun = asyncio.get_running_loop().time()
            await heard.until(lambda: asyncio.get_running_loop().time() > begun + 1.5)
            assert len(heard.losses) == 1
            assert venue.gate.paused_until is not None


async def test_prints_come_once_over_drops_and_replacements() -> None:
    async with local(2) as (exchange, venue):
        heard = Heard()
        settings = LineSettings(silence_s=2.0, longest_silence_s=3.0, recycle_s=0.8, first_s=0.05)
        exchange.faults.order({"kind": "duplicate", "every": 3})
        lines = Lines(venue, exchange.market.symbols, "1m", heard, settings, ("prints",))
        assert lines.state == "unsupported"  # of bars
        async with running(lines):
            await heard.until(lambda: sum(map(len, heard.blocks)) > 20)
            exchange.faults.order({"kind": "drop", "times": 1})
            n = len(heard.blocks)
            await heard.until(lambda: len(heard.blocks) > n + 20)
        keys = Counter(
            (b.symbol, t.event_time, t.price, t.amount, t.side) for b in heard.blocks for t in b
        )
        for block in heard.blocks:
            assert block.source == "simulated"
            assert (block.time[1:] >= block.time[:-1]).all()
        since = max(min(b.time[0] for b in heard.blocks if b.symbol == s) for s in keys_of(keys))
        row = exchange.market.symbols.index(heard.blocks[0].symbol)
        opened = int(since // MINUTE_MS + 1) * MINUTE_MS
        told = exchange.market.trades(row, opened)
        assert told is not None
        wanted = Counter((told.symbol, t.event_time, t.price, t.amount, t.side) for t in told)
        for key, n_told in wanted.items():
            assert keys[key] <= n_told


def keys_of(keys: Counter[Any]) -> set[str]:
    return {key[0] for key in keys}


async def test_books_of_few_symbols_are_streamed() -> None:
    async with local(2) as (exchange, venue):
        heard = Heard()
        async with running(Lines(venue, exchange.market.symbols, "1m", heard, HURRY, ("books",))):
            await heard.until(lambda: len({b.symbol for b in heard.books}) == 2)
        book = heard.books[-1]
        assert book.source == "simulated"
        assert 0 < len(book.bids) <= 20
        assert book.bids[0][0] < book.asks[0][0]
        assert book.event_time <= book.available_at


async def test_books_of_many_symbols_come_in_turns() -> None:
    venue = PuppetVenue([f"A{i}/USDT" for i in range(51)])
    heard = Heard()
    async with running(Lines(venue, tuple(venue.markets), "1m", heard, HURRY, ("books",))):
        await venue.until(lambda: len(venue.books_asked) >= 2)
        await heard.until(lambda: len(heard.books) >= 2)
    assert venue.books_asked[:2] == ["A0/USDT", "A1/USDT"]
    assert venue.streams == []


@pytest.mark.parametrize(("n", "shards"), [(1, 1), (200, 1), (201, 2), (450, 3)])
async def test_each_connection_has_at_most_200_symbols(n: int, shards: int) -> None:
    venue = PuppetVenue([f"A{i}/USDT" for i in range(n)])
    heard = Heard()
    async with running(Lines(venue, tuple(venue.markets), "1m", heard, HURRY, BARS)):
        await venue.until(lambda: sum(len(s.asked) for s in venue.streams) == shards)
        asked = [symbols for s in venue.streams for symbols in s.asked]
        for stream in venue.streams:
            stream.on_connected(None)
    assert sorted(symbol for symbols in asked for symbol in symbols) == sorted(venue.markets)
    assert max(map(len, asked)) <= 200
    assert sorted(row for rows in heard.connects for row in rows) == list(range(n))


async def test_a_venue_without_streams_is_told_so_and_nothing_is_dialled() -> None:
    venue = PuppetVenue(["A/USDT"], "kraken", lacks=["watchOHLCV"])
    lines = Lines(venue, ("A/USDT",), "1m", Heard(), HURRY, BARS)
    async with running(lines):
        assert lines.state == "unsupported"
        assert venue.dials == 0


async def test_close_before_and_after_the_run_does_nothing() -> None:
    venue = PuppetVenue(["A/USDT"])
    lines = Lines(venue, ("A/USDT",), "1m", Heard(), HURRY, BARS)
    async with running(lines):
        await venue.until(lambda: bool(venue.streams))
    await lines.close()
    assert all(s.closed for s in venue.streams)
    other = Lines(venue, ("A/USDT",), "1m", Heard(), HURRY, BARS)
    await other.close()
    await other.run()


async def test_cancelling_the_run_closes_everything() -> None:
    async with local() as (exchange, venue):
        heard = Heard()
        run = asyncio.ensure_future(
            Lines(venue, exchange.market.symbols, "1m", heard, HURRY, BARS).run()
        )
        await flows(heard, 3)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        n = len(heard.frames)
        await heard.until(lambda: not exchange.hub.sockets)
        assert len(heard.frames) == n


def test_patience_follows_the_speed_of_the_venue() -> None:
    assert settings_for("1m", 1.0).silence_s == 10.0
    assert settings_for("1m", 1.0).longest_silence_s == 75.0
    assert settings_for("1m", 60.0).silence_s == 1.0
    assert settings_for("1h", 1.0).longest_silence_s == 900.0
    assert START % MINUTE_MS == 0
