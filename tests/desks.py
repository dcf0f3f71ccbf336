"""What the tools of the Live page ask of a server, in memory: lists, alerts, universe, account."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.universe import Choice, Outcome, Quote
from opportunity.live.scan_report import ScanReport
from opportunity.storage.price_alerts import PriceAlert
from opportunity.storage.watchlists import Watchlist
from opportunity.strategy import evaluate


class Lists:
    """Watchlists."""

    def __init__(self) -> None:
        self.kept: dict[str, Watchlist] = {}

    def read(self) -> tuple[Watchlist, ...]:
        return tuple(self.kept[name] for name in sorted(self.kept))

    def write(self, name: str, symbols: Any) -> Watchlist:
        self.kept[name] = Watchlist(name, tuple(symbols), 1)
        return self.kept[name]

    def change(self, name: str, add: Any = (), remove: Any = ()) -> Watchlist:
        there = self.kept[name].symbols if name in self.kept else ()
        return self.write(name, [s for s in dict.fromkeys([*there, *add]) if s not in remove])

    def delete(self, name: str) -> None:
        del self.kept[name]


class Prices:
    """Price alerts."""

    def __init__(self) -> None:
        self.kept: dict[int, PriceAlert] = {}

    def all(self) -> list[PriceAlert]:
        return sorted(self.kept.values(), key=lambda alert: -alert.id)

    async def add(
        self, symbol: str, rule: Any, price: float, note: str, again: bool
    ) -> PriceAlert:
        number = len(self.kept) + 1
        self.kept[number] = PriceAlert(number, symbol, rule, price, note, again, True, 1, None)
        return self.kept[number]

    async def remove(self, number: int) -> bool:
        return self.kept.pop(number, None) is not None

    def touch(self, number: int, time: int) -> None:
        self.kept[number] = replace(self.kept[number], active=False, fired_at=time)


@dataclass
class Alerts:
    """The alerts of a server."""

    prices: Prices = field(default_factory=Prices)


class Chooser:
    """The universe."""

    overruled = ""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols, self.stored, self.by = symbols, None, ""

    def in_force(self, stored: Choice | None) -> Choice:
        return stored or Choice("USDT", len(self.symbols))

    async def chosen(self) -> Choice | None:
        return self.stored

    async def look(self, choice: Choice) -> Outcome:
        if choice.quote not in ("", "USDT"):
            raise ValueError(f"quote must be USDT, was {choice.quote}")
        names = choice.symbols or self.symbols[: choice.top]
        return Outcome(tuple(Quote(s, np.nan, np.nan, np.nan) for s in names), (), "")

    async def choose(self, choice: Choice, by: str) -> Outcome:
        self.stored, self.by = choice, by
        return await self.look(choice)


class Account:
    """A paper account that has not opened."""

    held: Any = None

    def state(self) -> Any:
        return self.held

    def limits(self) -> dict[str, Any]:
        return {"max_positions": 5, "max_drawdown": 0.15}


class Desk:
    """Mixed into a world: the parts above, scans on request and rules that people turn."""

    def set_up(self: Any) -> None:
        self.watchlists, self.alerts, self.paper = Lists(), Alerts(), Account()
        self.universe = Chooser(self.symbols)
        self.scanned: list[tuple[Any, ...]] = []

    async def scan(
        self: Any, symbols: Any, timeframes: Any, weights: Any = None, rules: Any = None,
        quick: bool = False,
    ) -> ScanReport:
        self.scanned.append((tuple(symbols), tuple(timeframes), weights, quick))
        there = [t for t in timeframes if t in self.timeframes]
        found = evaluate(
            self.snapshot(), weights or self.weights, self.rules, there, symbols
        )
        errors = {"X": "no bars"} if len(there) < len(timeframes) else {}
        return ScanReport(self.now, False, found, (), (), errors, 1.5)

    async def set_rules(self: Any, values: Any, by: str) -> None:
        self.rules.param.update(**values)
        self._tell("rules", values, None, by)
        self.hub.publish("scan", "", self.evaluation())
