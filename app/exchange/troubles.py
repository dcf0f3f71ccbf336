"""Lets the socket faults have their way: stalls, cuts, and what happens to single frames."""

from typing import Final

from app.exchange import wire
from app.exchange.call_faults import Maintenance
from app.exchange.injector import Armed, Faults
from app.exchange.socket_faults import (
    BadFrame,
    DayCut,
    Drop,
    Duplicate,
    FrameFault,
    HalfOpen,
    Reorder,
    Stall,
    Swap,
)
from app.exchange.sockets import Channel, Hub, Socket

_GOING_AWAY: Final = 1001


class Troubles:
    """What the hub's sockets suffer."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._faults: Faults = hub.core.faults
        self._held: list[tuple[float, Channel, bytes]] = []

    def afflict(self) -> None:
        """Look at every socket: who stalls, who is cut; release the frames held back."""
        for armed, fault in self._faults.of(Stall):
            for socket in self._fresh(armed, fault.new_too):
                socket.stalled_by = armed.id
        for armed, half in self._faults.of(HalfOpen):
            for socket in self._fresh(armed, half.new_too):
                socket.dead_by = armed.id
                socket.silence()
        for armed, drop in self._faults.of(Drop):
            for socket in self._due(armed, drop):
                socket.cut()
        for armed, cut in self._faults.of(DayCut):
            real = self._faults.real()
            for socket in list(self._hub.sockets):
                old = real - socket.opened_at >= cut.age_s
                if old and socket not in armed.targets and self._takes(armed, socket):
                    socket.close(1000, "24 h")
        for armed, _ in self._faults.of(Maintenance):
            for socket in list(self._hub.sockets):
                if socket not in armed.targets and self._takes(armed, socket):
                    socket.close(_GOING_AWAY, "maintenance")
        self._release()

    def _takes(self, armed: Armed, socket: Socket) -> bool:
        armed.targets &= self._hub.sockets  # those that have gone are not kept
        armed.targets.add(socket)
        return self._faults.strike(armed, f"socket with {len(socket.channels)} streams")

    def _fresh(self, armed: Armed, new_too: bool) -> list[Socket]:
        """Return the sockets that a fault strikes now; each is asked once."""
        began = armed.since + armed.fault.after_s
        return [
            s
            for s in list(self._hub.sockets)
            if s not in armed.targets
            and s.stalled_by is None
            and s.dead_by is None
            and (new_too or s.opened_at <= began)
            and self._takes(armed, s)
        ]

    def _due(self, armed: Armed, fault: Drop) -> list[Socket]:
        if fault.period_s is None:
            return self._fresh(armed, new_too=False)
        round_ = int((self._faults.real() - armed.since - fault.after_s) / fault.period_s)
        if round_ in armed.targets:
            return []
        armed.targets = {round_}
        return [s for s in list(self._hub.sockets) if self._faults.strike(armed, "socket")]

    def send(self, channel: Channel, payload: bytes, closing: bool = False) -> None:
        """Send an event, or whatever becomes of it."""
        row = channel.row
        symbol = self._hub.core.market.symbols[row] if row >= 0 else None
        for armed, fault in self._faults.of(FrameFault):
            if (closing or not fault.closing) and fault.concerns(symbol):
                if not self._faults.strike(armed, channel.name):
                    continue
                if isinstance(fault, Duplicate):
                    for _ in range(fault.copies):
                        self._hub.send(channel, payload)
                elif isinstance(fault, Reorder):
                    self._held.append((self._faults.real() + fault.delay_s, channel, payload))
                    return
                elif isinstance(fault, BadFrame):
                    self._hub.send(channel, _garbage(fault.what, payload))
                    if fault.instead:
                        return
        self._hub.send(channel, payload)

    def swapped(self, row: int) -> int:
        """Return the row whose bars come on a symbol's stream."""
        core = self._hub.core
        for _, fault in self._faults.of(Swap):
            here = core.market.symbols[row]
            if here in fault.symbols:
                other = next(s for s in fault.symbols if s != here)
                return core.market.symbols.index(other) if other in core.market.symbols else row
        return row

    def _release(self) -> None:
        if not self._held:
            return
        real = self._faults.real()
        ripe = [item for item in self._held if item[0] <= real]
        self._held = [item for item in self._held if item[0] > real]
        for _, channel, payload in ripe:
            self._hub.send(channel, payload)


def _garbage(what: str, payload: bytes) -> bytes:
    if what == "list":
        return b"[]"
    if what == "cut":
        return payload[: len(payload) // 2]
    return wire.without_kline(payload)
