"""What is sent when: closing bars as a burst, forming ones spread over a quarter of a second."""

import asyncio
from collections import defaultdict
from typing import Final, cast

import numpy as np

from app.exchange import wire
from app.exchange.core import Core
from app.exchange.planner import Due
from app.exchange.socket_faults import DepthGap
from app.exchange.sockets import ALL_TICKERS, Channel, Hub
from app.exchange.troubles import Troubles
from app.exchange.view import Row, Values
from opportunity.market.timeframe import Timeframe, length_ms, open_ms

TICK_S: Final = 0.05
_SLOTS: Final = 5  # ticks between two frames of a forming bar
_TICKER_SLOTS: Final = 20
_BOOK_SLOTS: Final = 2
_MOST_CLOSES: Final = 500  # bars that are made up for after a pause


class Streams:
    """Sends what the subscribed streams carry.

    Parameters
    ----------
    core : Core
        The exchange.
    hub : Hub
        Its sockets.
    """

    def __init__(self, core: Core, hub: Hub) -> None:
        self._core, self._hub = core, hub
        self._troubles = Troubles(hub)
        self._tick = 0
        self._closed = open_ms(core.clock.now(), core.market.base)
        self._last: dict[Channel, tuple[int, Values]] = {}
        self._printed: dict[Channel, int] = {}
        self._booked: dict[Channel, int] = {}

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self.step()
            now = self._core.clock.now()
            left = open_ms(now, self._core.market.base) + self._core.view.length - now
            wait = left / 1000.0 / self._core.clock.speed + 0.001
            await asyncio.sleep(min(TICK_S, wait))

    def step(self) -> None:
        """Send what is due now."""
        now = self._core.advance()
        self._troubles.afflict()
        by_kind = self._channels()
        length = self._core.view.length
        newest = open_ms(now, self._core.market.base)
        first = max(self._closed + length, newest - _MOST_CLOSES * length)
        for closes in range(first, newest + 1, length):
            self._close(by_kind["kline"], closes, now)
        self._closed = max(self._closed, newest)
        for due in self._core.due():
            self._correct(by_kind["kline"], due, now)
        self._tick += 1
        self._form(_share(by_kind["kline"], self._tick, _SLOTS), now)
        for channel in by_kind["print"]:
            self._prints(channel, now)
        for channel in _share(by_kind["miniTicker"], self._tick, _TICKER_SLOTS):
            self._ticker(channel, now)
        for channel in _share(by_kind["depth"], self._tick, _BOOK_SLOTS):
            self._book(channel, now)
        if by_kind[ALL_TICKERS] and self._tick % _TICKER_SLOTS == 0:
            self._all_tickers(by_kind[ALL_TICKERS][0], now)
        self._hub.flush()

    def _channels(self) -> defaultdict[str, list[Channel]]:
        found: defaultdict[str, list[Channel]] = defaultdict(list)
        for kept in (self._last, self._printed, self._booked):
            for channel in [c for c in kept if c not in self._hub.subscribers]:
                del kept[channel]  # whoever comes next begins anew
        gone = {c for c in self._hub.subscribers if c.row >= 0 and not self._core.trading(c.row)}
        for channel in self._hub.subscribers:
            if channel.row == -2 or channel in gone:
                continue
            kind = channel.kind
            if kind.startswith("kline_"):
                kind = "kline"
            elif kind in ("trade", "aggTrade"):
                kind = "print"
            found[kind].append(channel)
        return found

    def _close(self, channels: list[Channel], closes: int, now: int) -> None:
        """Send the closing frames of the bars that close at an instant."""
        for channel in channels:
            timeframe = _timeframe(channel)
            if open_ms(closes, timeframe) != closes:
                continue
            opened = closes - length_ms(timeframe)
            row = self._troubles.swapped(channel.row)
            values = self._core.view.bar(row, timeframe, opened, closes)
            if values is None:
                continue
            if row != channel.row:
                self._core.faults.note("swap", channel.name)
            if timeframe == self._core.market.base and self._lost(channel.row, opened):
                continue
            self._kline(channel, opened, values, True, now)

    def _lost(self, row: int, opened: int) -> bool:
        change = self._core.view.changes[row].get(opened)
        return change is not None and change.lost

    def _form(self, channels: list[Channel], now: int) -> None:
        """Send the bars that are open, where they have changed since the last time."""
        core, base = self._core, self._core.market.base
        plain = [c for c in channels if _timeframe(c) == base]
        opened = open_ms(now, base)
        rows = np.array([self._troubles.swapped(c.row) for c in plain], np.int64)
        table = core.market.forming(rows, opened, now).tolist() if plain else []
        for channel, numbers in zip(plain, table, strict=True):
            values: Values | None = (*numbers,)
            if numbers[3] != numbers[3]:
                values = None
            elif opened in core.view.changes[channel.row]:
                values = core.view.forming(channel.row, now)
            self._formed(channel, opened, values, now)
        for channel in channels:
            timeframe = _timeframe(channel)
            if timeframe != base:
                began = open_ms(now, timeframe)
                row = self._troubles.swapped(channel.row)
                self._formed(channel, began, core.view.bar(row, timeframe, began, now), now)

    def _formed(self, channel: Channel, opened: int, values: Values | None, now: int) -> None:
        if values is not None and self._last.get(channel) != (opened, values):
            self._last[channel] = opened, values
            self._kline(channel, opened, values, False, now)

    def _kline(self, channel: Channel, opened: int, values: Values, closed: bool, now: int) -> None:
        core, timeframe = self._core, _timeframe(channel)
        change = core.view.changes[channel.row].get(opened)
        tokens: tuple[str, ...] = ()
        if change is not None and timeframe == core.market.base:
            if "stream" in change.missing:
                return
            values = change.streamed(values)
            tokens = change.tokens if "stream" in change.garbled else ()
            opened += change.shift_ms if "stream" in change.shifted else 0
        row = Row(opened, opened + length_ms(timeframe) - 1, values, tokens)
        frame = wire.kline_frame(core.ids[channel.row], timeframe, row, closed, core.told(now))
        self._troubles.send(channel, frame, closed)

    def _correct(self, channels: list[Channel], due: Due, now: int) -> None:
        """Send a second closing frame where a correction wants one."""
        base = self._core.market.base
        for channel in channels if due.frame else ():
            if channel.row == due.row and _timeframe(channel) == base:
                values = self._core.view.bar(due.row, base, due.opened, now)
                if values is not None:
                    self._kline(channel, due.opened, values, True, now)

    def _prints(self, channel: Channel, now: int) -> None:
        """Send the prints since the last tick, of this base bar and of the one before."""
        core, length = self._core, self._core.view.length
        since = max(self._printed.get(channel, now), open_ms(now, core.market.base) - length)
        self._printed[channel] = now
        for opened in range(open_ms(since, core.market.base), now + 1, length):
            block = core.market.trades(channel.row, opened)
            if block is None:
                return
            a, b = np.searchsorted(block.time, (since, now), "right").tolist()
            first = opened // length * core.market.most_prints
            for k in range(a, b):
                self._troubles.send(
                    channel,
                    wire.trade_frame(
                        core.ids[channel.row], channel.kind, first + k, block, k, core.told(now)
                    ),
                )

    def _ticker(self, channel: Channel, now: int) -> None:
        day = self._core.view.day(channel.row, now)
        told = self._core.told(now)
        self._troubles.send(channel, wire.mini_ticker(self._core.ids[channel.row], day, told))

    def _all_tickers(self, channel: Channel, now: int) -> None:
        core, told = self._core, self._core.told(now)
        parts = [
            wire.mini_ticker(name, core.view.day(row, now), told)
            for row, name in enumerate(core.ids)
            if core.trading(row)
        ]
        self._troubles.send(channel, b"[" + b",".join(parts) + b"]")

    def _book(self, channel: Channel, now: int) -> None:
        """Send what changed in the book since the last update of this stream."""
        core = self._core
        until = core.books.number(now)
        since = self._booked.get(channel, until - 1)
        if since >= until:
            return
        changed = core.books.changes(channel.row, since, until)
        self._booked[channel] = until
        if changed is None:
            return
        symbol = core.market.symbols[channel.row]
        if core.faults.first(DepthGap, channel.name, symbol) is not None:
            return
        self._troubles.send(channel, wire.dump({
            "e": "depthUpdate", "E": core.told(now), "s": core.ids[channel.row],
            "U": since + 1, "u": until,
            "b": wire.levels(changed[0].items()), "a": wire.levels(changed[1].items()),
        }))  # fmt: skip


def _timeframe(channel: Channel) -> Timeframe:
    return cast(Timeframe, channel.kind.removeprefix("kline_"))


def _share(channels: list[Channel], tick: int, slots: int) -> list[Channel]:
    """Return the channels whose turn it is: a symbol keeps its place in the round."""
    return [c for c in channels if c.row % slots == tick % slots]
