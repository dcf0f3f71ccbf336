"""Price alerts: which bar touches which price. Nothing here waits, reads a clock or writes.

In the bar in which an alert begins to watch, high and low count only if they moved since: what
happened earlier was before it. Bars are seen while they run; once they are known to have
closed they are seen again, as the last prices of one may never have been heard.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from opportunity.storage.events import Event
from opportunity.storage.price_alerts import PriceAlert

HYSTERESIS: Final = 0.002
"""How far the price must go back, as a fraction, before an alert that goes on counts again."""

Running = tuple[float, ...]
"""Opening time in ms UTC, open, high, low, close, volume: a base bar, closed or not."""


@dataclass(frozen=True, slots=True)
class Touch:
    """An alert whose price was touched, by which price, in the bar that opened at `time`."""

    alert: PriceAlert
    touched: float
    time: int

    def event(self, market: str, source: str) -> Event:
        """Return what is kept in the log."""
        alert = self.alert
        return Event(
            f"price:{market}:{alert.id}:{self.time}", self.time, "price_alert",
            {
                "book": "paper", "id": alert.id, "symbol": alert.symbol, "rule": alert.rule,
                "price": alert.price, "touched": self.touched, "note": alert.note,
                "again": alert.again, "source": source,
            },
        )  # fmt: skip


class PriceWatch:
    """The price alerts of one market and what they have seen.

    Parameters
    ----------
    base_ms : int
        Length of its bars.
    alerts : iterable of PriceAlert
    """

    def __init__(self, base_ms: int, alerts: Iterable[PriceAlert] = ()) -> None:
        self._base_ms = base_ms
        self.alerts: dict[int, PriceAlert] = {alert.id: alert for alert in alerts}
        self._since: dict[int, Running] = {}  # the bar that ran when it began to watch
        self._newest: dict[str, Running] = {}
        self._due: dict[str, int] = {}  # opening time of the first bar not known to have closed

    def add(self, alert: PriceAlert) -> None:
        """Watch another one."""
        self.alerts[alert.id] = alert
        if alert.symbol in self._newest:
            self._since[alert.id] = self._newest[alert.symbol]

    def remove(self, id: int) -> None:
        """Forget one."""
        self.alerts.pop(id, None)
        self._since.pop(id, None)

    def symbols(self) -> frozenset[str]:
        """Return the symbols whose prices matter."""
        return frozenset(a.symbol for a in self.alerts.values() if a.watched)

    def due(self, symbol: str, time: int) -> int:
        """Return the opening time of the first bar before `time` whose end was not seen."""
        return min(self._due.setdefault(symbol, time), time)

    def see(
        self, symbol: str, bars: Sequence[Running], closed: bool = False
    ) -> tuple[list[Touch], list[PriceAlert]]:
        """Look at bars of a symbol, oldest first; `closed` when they have come to their end.

        Returns
        -------
        touches : list of Touch
            With the alerts as they are afterwards.
        changed : list of PriceAlert
            Those to be kept: touched, or watching again.
        """
        touches: list[Touch] = []
        changed: dict[int, PriceAlert] = {}
        watching = [a.id for a in self.alerts.values() if a.symbol == symbol and a.watched]
        for bar in bars:
            if bar[0] >= self._newest.get(symbol, bar)[0]:
                self._newest[symbol] = bar
            if closed:
                self._due[symbol] = max(int(bar[0]) + self._base_ms, self._due.get(symbol, 0))
            for id in watching:
                touch = self._look(self.alerts[id], bar)
                if touch is not None:
                    touches.append(touch)
                if touch is not None or self._leaves(self.alerts[id], bar):
                    new = touch.alert if touch else replace(self.alerts[id], active=True)
                    self.alerts[id] = changed[id] = new
                    self._since[id] = bar
        return touches, list(changed.values())

    def _look(self, alert: PriceAlert, bar: Running) -> Touch | None:
        since = self._since.setdefault(alert.id, bar)
        if not alert.active or bar[0] < since[0]:
            return None
        price = _extreme(alert, bar, since)
        if not (price >= alert.price if alert.rule == "above" else price <= alert.price):
            return None
        time = int(bar[0])
        return Touch(replace(alert, active=False, fired_at=time), price, time)

    @staticmethod
    def _leaves(alert: PriceAlert, bar: Running) -> bool:
        if alert.active or not alert.again:
            return False
        close = bar[4]
        if alert.rule == "above":
            return close <= alert.price * (1 - HYSTERESIS)
        return close >= alert.price * (1 + HYSTERESIS)


def _extreme(alert: PriceAlert, bar: Running, since: Running) -> float:
    """Return the price of a bar nearest to the alert's, of those after it began to watch."""
    _, _, high, low, close = bar[:5]
    if alert.rule == "above":
        return high if bar[0] > since[0] or high > since[2] else close
    return low if bar[0] > since[0] or low < since[3] else close


def running(time: Sequence[int], values: Sequence[Sequence[float]]) -> list[Running]:
    """Return bars of a history as they are seen here."""
    return [(float(at), *row) for at, row in zip(time, values, strict=True)]
