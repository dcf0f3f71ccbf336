"""The paper account as pages and handlers use it: state, hand commands, limits, history.

What is traded and kept is the agent's (`live/desk.py`, `storage/ledger.py`); here people's wishes
are checked, stored and audited.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from app.kept import Kept, Turnable, Values
from app.names import state_name
from app.performance import Earned, earned
from opportunity.config import Settings
from opportunity.feeds.clock import wall_ms
from opportunity.live.agent import Agent
from opportunity.live.portfolio import PortfolioState
from opportunity.live.trader import PaperTrading
from opportunity.market.timeframe import DAY_MS
from opportunity.storage.books import PAPER
from opportunity.storage.events import StoredEvent
from opportunity.storage.ledger_pages import (
    EquityCurve,
    Page,
    StoredFill,
    StoredOrder,
    StoredTrade,
)
from opportunity.storage.repositories import Memory
from opportunity.trading.costs import Sizing
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

RISK_PER_TRADE: Final = "risk_per_trade"
RULE_LISTS: Final = ("targets_r", "shares")
AUDITED: Final = (
    "hand", "reset", "limits", "rules", "weights", "preset", "agent", "shadow", "audit"
)  # fmt: skip
"""Kinds of events that say who changed what."""

PAGE: Final = 1_000
MOST_COUNTED: Final = 10_000
"""Trades that performance is made of, newest first."""


class Paper:
    """The paper account of one server.

    Parameters
    ----------
    settings : Settings
    memory : Memory
        Where limits, rules and history are kept.
    agent : Agent
        Which trades; its shared limits and rules are restored here, before it starts.
    """

    def __init__(self, settings: Settings, memory: Memory, agent: Agent) -> None:
        self._agent, self._events = agent, memory.events
        self._ledger = memory.ledger(state_name(settings))
        self.trading: PaperTrading = agent.trading or PaperTrading()
        self._measured: tuple[tuple[int, int], Earned] | None = None
        self._limits = Kept(self._limit_set(), memory.turned, self._now, self._tell("limits"))
        self._rules = Kept(self._rule_set(), memory.turned, self._now, self._tell("trade_rules"))
        for turned, kept in ((self.trading.risk, self._limits), (self.trading.rules, self._rules)):
            turned.param.watch(kept.changed, [n for n in turned.param if n != "name"])
            turned.bind_thread()

    # -- what is ---------------------------------------------------------------------------------

    def state(self) -> PortfolioState | None:
        """Return the account as it was committed last; None before the first."""
        hub = self._agent.hub
        found: PortfolioState | None = None if hub is None else hub.latest("portfolio")
        return found

    def held(self) -> tuple[str, ...]:
        """Return the symbols with an open position or a waiting order."""
        state = self.state()
        if state is None:
            return ()
        lines: Iterable[Any] = (*state.positions, *state.waiting)
        return tuple(dict.fromkeys(line.symbol for line in lines))

    # -- what was --------------------------------------------------------------------------------

    async def orders(
        self, limit: int = 100, after: int | None = None, symbol: str | None = None
    ) -> Page[StoredOrder]:
        """Return orders of this epoch, newest first; `after` is that of the page before."""
        return await asyncio.to_thread(self._ledger.orders, PAPER, limit, after, symbol)

    async def fills(
        self, limit: int = 100, after: int | None = None, symbol: str | None = None
    ) -> Page[StoredFill]:
        """Return fills of this epoch, newest first."""
        return await asyncio.to_thread(self._ledger.fills, PAPER, limit, after, symbol)

    async def trades(
        self, limit: int = 100, after: int | None = None, symbol: str | None = None
    ) -> Page[StoredTrade]:
        """Return trades of this epoch that are over, newest first."""
        return await asyncio.to_thread(self._ledger.trades, PAPER, limit, after, symbol)

    async def equity(
        self, since: int = 0, until: int | None = None, most: int = 1_000
    ) -> EquityCurve:
        """Return the curve of this epoch; see `Ledger.equity`."""
        return await asyncio.to_thread(self._ledger.equity, PAPER, since, until, most)

    async def days(
        self, most: int, until: int | None = None
    ) -> tuple[EquityCurve, tuple[StoredTrade, ...]]:
        """Return the last mark of each of the newest days, and the trades that ended on them.

        Of trades the newest `MOST_COUNTED` of this epoch are looked at.
        """
        return await asyncio.to_thread(self._days, most, until)

    async def performance(self) -> Earned:
        """Return what the newest `MOST_COUNTED` trades of this epoch came to."""
        state = self.state()
        about = (-1, -1) if state is None else (state.epoch, state.n_trades)
        if self._measured is None or self._measured[0] != about:
            self._measured = about, await asyncio.to_thread(self._measure)
        return self._measured[1]

    async def audit(
        self, kind: str | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[StoredEvent, ...]:
        """Return who changed what, newest first; `after` is the id of the last one seen."""
        kinds = AUDITED if kind is None else (kind,)
        return await asyncio.to_thread(self._events.read, kinds, 0, limit, True, after)

    # -- by hand ---------------------------------------------------------------------------------

    async def close(self, symbol: str, by: str, why: str = "") -> int:
        """Leave a position at its next open; return the number of the order.

        Raises
        ------
        ValueError
            If nothing is held of it.
        OpportunityError
            If the agent does not trade now; a DatabaseError if it cannot be stored.
        """
        return await self._agent.close_position(symbol, by, why)

    async def flatten(self, by: str, why: str = "") -> tuple[int, ...]:
        """Leave everything; return the numbers of the orders. See `close`."""
        return await self._agent.flatten(by, why)

    async def reset(self, cash: float, by: str, why: str = "") -> None:
        """Begin a new epoch with so much cash, > 0; what was is kept. See `close`."""
        await self._agent.reset_account(cash, by, why)

    async def reset_breakers(self, name: str | None, by: str, why: str = "") -> tuple[str, ...]:
        """Close one breaker, or all; return the names of those that were not closed."""
        return await self._agent.reset_breakers(name, by=by, why=why)

    # -- what people turn ------------------------------------------------------------------------

    def limits(self) -> Values:
        """Return the limits by name, `risk_per_trade` (null: sized otherwise) among them."""
        return self._limits.get()

    @property
    def limits_version(self) -> int:
        """Rises with every change of the limits; 0 before the first."""
        return self._limits.version

    async def set_limits(
        self, values: Mapping[str, Any], by: str, expected: int | None = None, why: str = ""
    ) -> int:
        """Change some limits and return their new version; see `Kept.set`."""
        return await self._limits.set(values, by, why, expected)

    def rules(self) -> Values:
        """Return the trade rules by name."""
        return self._rules.get()

    @property
    def rules_version(self) -> int:
        """Rises with every change of the rules; 0 before the first."""
        return self._rules.version

    async def set_rules(
        self, values: Mapping[str, Any], by: str, expected: int | None = None, why: str = ""
    ) -> int:
        """Change some trade rules and return their new version; see `Kept.set`."""
        return await self._rules.set(values, by, why, expected)

    # -- inside ----------------------------------------------------------------------------------

    def _now(self) -> int:
        return self._agent.time or 0

    def _measure(self) -> Earned:
        return earned(self._newest(0))

    def _days(
        self, most: int, until: int | None
    ) -> tuple[EquityCurve, tuple[StoredTrade, ...]]:
        curve = self._ledger.days(PAPER, most, until)
        first = int(curve.time[0] - 1) // DAY_MS * DAY_MS if curve.time.size else 0
        return curve, tuple(self._newest(first))

    def _newest(self, since: int) -> list[StoredTrade]:
        """Return trades that ended after `since`, oldest first, `MOST_COUNTED` at most."""
        found: list[StoredTrade] = []
        after: int | None = None
        while len(found) < MOST_COUNTED:
            page = self._ledger.trades(PAPER, PAGE, after)
            found += [trade for trade in page.rows if trade.closed > since]
            after = page.after
            if after is None or page.rows[-1].closed <= since:
                break
        return found[::-1]

    def _tell(self, what: str) -> Callable[[Values, int, str], None]:
        def told(values: Values, version: int, by: str) -> None:
            if self._agent.hub is not None:
                self._agent.hub.emit("config", {
                    "what": what, "value": values, "version": version, "by": by, "ts": wall_ms(),
                })  # fmt: skip

        return told

    def _limit_set(self) -> Turnable:
        trading = self.trading

        def get() -> Values:
            sizing = trading.sizing
            share = sizing.amount if sizing.kind == "risk" else None
            return trading.risk.as_dict() | {RISK_PER_TRADE: share}

        def check(values: Values) -> None:
            limits = RiskRecord(**{n: v for n, v in values.items() if n != RISK_PER_TRADE})
            sizing = self._sizing(values[RISK_PER_TRADE])
            TradeSetup(trading.rules.record(), trading.costs, sizing, limits).terms()

        def put(values: Values) -> None:
            trading.risk.param.update(**{n: v for n, v in values.items() if n != RISK_PER_TRADE})
            sizing = self._sizing(values[RISK_PER_TRADE])
            if sizing != trading.sizing and self._agent.trading is not None:
                self._agent.set_sizing(sizing)

        return Turnable("risk", "limits", get, put, check)

    def _sizing(self, share: float | None) -> Sizing:
        now = self.trading.sizing
        return now if share is None else Sizing.risk(share, now.whole_units)

    def _rule_set(self) -> Turnable:
        trading = self.trading

        def check(values: Values) -> None:
            record = TradeRecord(**(values | {n: tuple(values[n]) for n in RULE_LISTS}))
            TradeSetup(record, trading.costs, trading.sizing, trading.risk.record()).terms()

        def put(values: Values) -> None:
            trading.rules.param.update(**(values | {n: list(values[n]) for n in RULE_LISTS}))

        return Turnable("trade_rules", "rules", trading.rules.as_dict, put, check)
