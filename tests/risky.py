"""A paper account and a market behind the app's risk manager, without an agent."""

from collections.abc import Coroutine, Mapping
from typing import Any

from portfolios import END, NAMES, account_of, bars_of, drawn

from app.risk import Risk
from opportunity.errors import ConflictError, CoverageError, unknown
from opportunity.live.portfolio import PortfolioState
from opportunity.live.trader import PaperTrading
from opportunity.market.bars import Bars
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.storage.events import StoredEvent


class FakeMarket:
    """Bars that were drawn; counts what is asked."""

    def __init__(self, n_rows: Mapping[str, int] | None = None) -> None:
        self.symbols, self.asked = NAMES, [("", "")][:0]
        self.n_rows = dict(n_rows or {})
        self.young = ""
        """A symbol that has too few daily bars."""

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        self.asked.append((symbol, timeframe))
        if symbol not in NAMES:
            raise CoverageError(f"there is no history of {symbol}")
        values = drawn(n_bars - 1, len(NAMES), 5 if timeframe == "1d" else 6)
        n = self.n_rows.get(symbol, n_bars - 1)
        if symbol == self.young and timeframe == "1d":
            n = 10
        return bars_of(symbol, values[len(values) - n :, NAMES.index(symbol)], timeframe, end_ms)


class FakeTrader:
    """What of an agent is asked for risk."""

    def __init__(self, snapshot: MarketSnapshot | None = None) -> None:
        self.time, self._snapshot = END, snapshot

    async def ask(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return await coroutine

    def snapshot(self) -> MarketSnapshot | None:
        return self._snapshot


class FakePaper:
    """The paper account of the app, in memory."""

    def __init__(self, state: PortfolioState | None = None) -> None:
        self.now: PortfolioState | None = account_of() if state is None else state
        self.trading = PaperTrading()
        self.limits_version = 1
        self.share = 0.01
        self.done: list[tuple[Any, ...]] = []
        self.failure: Exception | None = None
        self.events: tuple[StoredEvent, ...] = ()

    def state(self) -> PortfolioState | None:
        return self.now

    def limits(self) -> dict[str, Any]:
        return self.trading.risk.as_dict() | {"risk_per_trade": self.share}

    async def set_limits(
        self, values: Mapping[str, Any], by: str, expected: int | None = None, why: str = ""
    ) -> int:
        if self.failure is not None:
            raise self.failure
        if expected is not None and expected != self.limits_version:
            raise ConflictError("stale")
        rest = dict(values)
        self.share = rest.pop("risk_per_trade", self.share)
        for name in rest:
            if name not in self.limits():
                raise ValueError(unknown("limit", name, self.limits()))
        self.trading.risk.param.update(**rest)
        self.limits_version += 1
        self.done.append(("limits", dict(values), by, why))
        return self.limits_version

    async def audit(
        self, kind: str | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[StoredEvent, ...]:
        return self.events[:limit]

    async def reset_breakers(self, name: str | None, by: str, why: str = "") -> tuple[str, ...]:
        if self.failure is not None:
            raise self.failure
        self.done.append(("breakers", name, by, why))
        return ()


def risk_of(
    paper: FakePaper, market: FakeMarket, snapshot: MarketSnapshot | None = None
) -> Risk:
    """Wire the risk manager of the app to them."""
    trader: Any = FakeTrader(snapshot)
    feed: Any = market
    account: Any = paper
    return Risk(trader, feed, account)


def with_risk(world: Any, state: PortfolioState) -> Any:
    """Put a paper account and a market of its own behind the risk manager of a small server."""
    services = world.services
    services.paper, services.symbols = FakePaper(state), NAMES
    services.risk = risk_of(services.paper, FakeMarket(), services.market)
    return world
