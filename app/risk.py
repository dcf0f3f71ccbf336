"""The risk manager of the server: the paper account, its limits and the market's past.

Sums run on threads; an answer for the same positions at the same time is worked out once.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.paper import RISK_PER_TRADE, Paper
from app.risk_history import RiskHistory
from opportunity.feeds.base import Feed
from opportunity.live.agent import Agent
from opportunity.live.portfolio import PortfolioState
from opportunity.market.bars import FloatArray
from opportunity.risk.components import Components
from opportunity.risk.correlation import CorrelationCheck
from opportunity.risk.covariance import correlations, ledoit_wolf
from opportunity.risk.held import Held
from opportunity.risk.manager import Assessment, RiskManager
from opportunity.risk.returns import LEAST_ROWS
from opportunity.risk.sizing import Plan, Ticket
from opportunity.risk.stress import Stressed
from opportunity.risk.value_at_risk import Method, Tail
from opportunity.trading.costs import Sizing

KEPT: Final = 16
"""Answers that are kept: a few pages and a few questions each."""


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class View:
    """An account at a time, judged."""

    state: PortfolioState
    held: Held
    found: Assessment
    stressed: tuple[Stressed, ...]
    tails: Mapping[Method, Tail]


@dataclass(frozen=True, slots=True, eq=False)
class TailView:
    """The tail at one level and horizon by every method."""

    state: PortfolioState
    held: Held
    tails: Mapping[Method, Tail]
    parts: Components | None
    shrinkage: float


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """How assets move together.

    Parameters
    ----------
    symbols : tuple of str
    matrix : ndarray of shape (n_symbols, n_symbols) or None
        Correlations of the shrunk covariance, as those of a `View`; None while the history is
        not known.
    missing : dict
        Why a symbol has no history.
    """

    symbols: tuple[str, ...]
    matrix: FloatArray | None
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MarketNow:
    """What is known of a symbol now; NaN where it is not."""

    price: float = math.nan
    atr: float = math.nan
    volume: float = math.nan


class Risk:
    """Answers of the risk manager for the server's paper account.

    Parameters
    ----------
    agent : Agent
    feed : Feed
        Where the past comes from.
    paper : Paper
        The account and its limits.
    """

    def __init__(self, agent: Agent, feed: Feed, paper: Paper) -> None:
        self._agent, self._paper = agent, paper
        self._history = RiskHistory(agent, feed)
        self._answers: OrderedDict[tuple[Any, ...], asyncio.Future[tuple[Any, bool]]] = (
            OrderedDict()
        )

    @property
    def manager(self) -> RiskManager:
        """A manager under the limits of this moment."""
        return RiskManager(self._paper.trading.risk.record(), self._paper.trading.costs)

    @property
    def risk_per_trade(self) -> float:
        """Fraction of the equity that the agent risks; 1 % where sizes do not follow a stop."""
        return self._paper.limits()[RISK_PER_TRADE] or Sizing().amount

    async def view(self, state: PortfolioState) -> View:
        """Judge an account."""

        def judge(manager: RiskManager, held: Held) -> View:
            return View(
                state, held, manager.assess(state, held), manager.stress(held),
                manager.tails(held),
            )

        answer: View = await self._once(state, ("view",), judge)
        return answer

    async def tails(self, state: PortfolioState, level: float, days: float) -> TailView:
        """Return what an account may lose in so many days."""

        def measure(manager: RiskManager, held: Held) -> TailView:
            shrunk = manager.shrunk(held)
            return TailView(
                state, held, manager.tails(held, level, days),
                manager.components(held, level, days),
                math.nan if shrunk is None else shrunk.shrinkage,
            )

        answer: TailView = await self._once(state, ("tails", level, days), measure)
        return answer

    async def plan(self, ticket: Ticket) -> Plan:
        """Size a position; on a thread, because the kernel may have to be compiled."""
        return await asyncio.to_thread(self.manager.plan, ticket)

    async def check_correlation(
        self, new: tuple[str, int], existing: Sequence[tuple[str, int]]
    ) -> CorrelationCheck:
        """Hold a new position against others."""
        names = list(dict.fromkeys([new[0], *(symbol for symbol, _ in existing)]))
        bars = await self._history.bars(names, self._agent.time) if len(names) > 1 else {}
        return await asyncio.to_thread(self.manager.check_correlation, new, existing, bars)

    async def alike(self, symbols: Sequence[str]) -> Alike:
        """Return how assets that are watched move together, whether they are held or not."""
        past = await self._history.past(symbols, self._agent.time)
        found = past.returns
        known = () if found is None else tuple(s for s in symbols if s in found.symbols)
        if found is None or not known or len(found) < LEAST_ROWS:
            return Alike(tuple(symbols), None, past.missing)

        def work() -> FloatArray:
            return correlations(ledoit_wolf(found.pick(known)).covariance)

        return Alike(known, await asyncio.to_thread(work), past.missing)

    def market(self, symbol: str) -> MarketNow:
        """Return what the agent knows of a symbol, ATR of the decision timeframe."""
        snapshot = self._agent.snapshot()
        if snapshot is None or symbol not in snapshot.symbols:
            return MarketNow()
        row = snapshot.symbols.index(symbol)
        frame = self._paper.trading.decision_timeframe
        atr = math.nan
        if frame in snapshot.timeframes:
            atr = float(snapshot.atr[row, snapshot.timeframes.index(frame)])
        return MarketNow(float(snapshot.price[row]), atr, float(snapshot.volume_24h[row]))

    async def _once(self, state: PortfolioState, asked: tuple[Any, ...], work: Any) -> Any:
        """Work an answer out on a thread, once for all pages that ask for it at the same time."""
        manager = self.manager
        key = (state, manager.limits, *asked)
        answer = self._answers.get(key)
        if answer is None:
            answer = asyncio.ensure_future(self._work(manager, state, work))
            self._answers[key] = answer
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        whole = False
        try:
            found, whole = await asyncio.shield(answer)
        finally:
            # What failed or lacks a history is asked anew: maybe the market answers next time.
            if answer.done() and not whole and self._answers.get(key) is answer:
                del self._answers[key]
        return found

    async def _work(self, manager: RiskManager, state: PortfolioState, work: Any) -> Any:
        """Return an answer, and whether nothing is missing for it."""
        held = await self._held(manager, state)
        return await asyncio.to_thread(work, manager, held), not held.missing

    async def _held(self, manager: RiskManager, state: PortfolioState) -> Held:
        symbols = [line.symbol for line in state.positions]
        if not symbols:
            return manager.hold(state)
        past = await self._history.past(symbols, state.time)
        volumes = {symbol: self.market(symbol).volume for symbol in symbols}
        return manager.hold(state, past.returns, volumes, past.missing)
