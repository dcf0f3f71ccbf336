"""Trades on paper beside the agent: the newest ranking of each batch becomes orders.

The broker is the backtest's own, and so is the rule that lets an entry through: what is recorded
here, a backtest of the same bars finds again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opportunity.entries import entry_sides
from opportunity.feeds.base import Closed
from opportunity.live.config import AgentConfig
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms
from opportunity.market.trust import Faults
from opportunity.strategy import Evaluation
from opportunity.trading.broker import PaperBroker
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION
from opportunity.trading.risk import RiskLimits
from opportunity.trading.rules import TradeRules
from opportunity.trading.setup import TradeSetup

DECISION_TIMEFRAME: Timeframe = "1h"
CASH = 10_000.0


@dataclass(slots=True, eq=False)
class PaperTrading:
    """How an agent trades on paper, as people turn it.

    Parameters
    ----------
    rules : TradeRules
        Shared; a change decides from the next batch on, and exits by it from the one after.
    costs : Costs
    sizing : Sizing
    risk : RiskLimits
        Shared, as the rules.
    decision_timeframe : Timeframe
        At whose closes is decided; where it is not scored the next longer one that is.
    cash : float
        At the start, quote currency, > 0.
    """

    rules: TradeRules = field(default_factory=TradeRules)
    costs: Costs = field(default_factory=Costs)
    sizing: Sizing = field(default_factory=Sizing)
    risk: RiskLimits = field(default_factory=RiskLimits)
    decision_timeframe: Timeframe = DECISION_TIMEFRAME
    cash: float = CASH

    @classmethod
    def of(cls, setup: TradeSetup) -> "PaperTrading":
        """Return shared objects that begin with the values of a setup."""
        rules = {n: list(v) if isinstance(v, tuple) else v for n, v in asdict(setup.rules).items()}
        risk = RiskLimits(**setup.risk.as_dict())
        return cls(TradeRules(**rules), setup.costs, setup.sizing, risk, cash=setup.cash)

    def setup(self) -> TradeSetup:
        """Return the present values, frozen.

        Raises
        ------
        ValueError
            If rules do not fit each other or the sizing.
        """
        setup = TradeSetup(
            self.rules.record(), self.costs, self.sizing, self.risk.record(), self.cash
        )
        setup.terms()
        return setup


class Judged(NamedTuple):
    """A ranking, and all that it came of besides the streams."""

    evaluation: Evaluation
    config: AgentConfig
    faults: Faults | None


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """What was decided at the end of a batch.

    Parameters
    ----------
    rows : ndarray of DECISION
        By symbol.
    said : ndarray, shape (n, 6)
        Of each: final, net, confidence, consensus, disagreement, trust.
    """

    rows: NDArray[Any]
    said: NDArray[np.float64]


class Trader:
    """A paper broker and the symbols whose decisions are due.

    Parameters
    ----------
    symbols : sequence of str
    timeframes : sequence of Timeframe
        Those that are scored.
    wanted : Timeframe
        To decide by; see `decision_of`.
    setup : TradeSetup
        At the start.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        wanted: Timeframe,
        setup: TradeSetup,
    ) -> None:
        self.decision = decision_of(timeframes, wanted)
        self._column = tuple(timeframes).index(self.decision)
        self._setup = setup
        self.broker = PaperBroker(symbols, setup.terms(), setup.cash)
        self._closed: TimeArray = np.zeros(len(symbols), np.int64)

    def start(self, closed: TimeArray) -> None:
        """Take what has closed before the first batch, (n_symbols, n_timeframes): no decisions.

        Blocks for some milliseconds, minutes on a machine where nothing is compiled yet.
        """
        self._closed = closed[:, self._column].copy()
        other = PaperBroker(self.broker.symbols, self._setup.terms(), 1.0)  # loads the kernels
        other.batch(np.zeros(1, np.int64), np.zeros(1, np.int64), 0, np.ones((1, 5)))
        other.decide(np.zeros(1, DECISION))

    def follow(self, event: Closed, batch: int, time: int, judged: Judged | None) -> Decided:
        """Take a batch and decide for the symbols whose decision bar closed in it.

        Parameters
        ----------
        event : Closed
        batch : int
            Its number.
        time : int
            Up to which bars are known, ms UTC; never goes back.
        judged : Judged or None
            The ranking that it led to; None where no bar of any stream closed.
        """
        self.broker.batch(event.rows, event.times, time, event.values)
        if judged is None:
            return Decided(np.empty(0, DECISION), np.empty((0, 6)))
        evaluation, config = judged.evaluation, judged.config
        closed = evaluation.snapshot.closed[:, self._column]
        rows = np.flatnonzero(closed > self._closed)
        self._closed = np.maximum(self._closed, closed)
        setup = config.trade or self._setup
        decided = self._decide(evaluation, setup, rows, config.enabled)
        decided.rows["batch"], decided.rows["time"] = batch, time
        self.broker.decide(decided.rows)
        if setup != self._setup:
            self._setup, self.broker.terms = setup, setup.terms()
        return decided

    def _decide(
        self, evaluation: Evaluation, setup: TradeSetup, rows: NDArray[np.int64], enabled: bool
    ) -> Decided:
        snapshot, together = evaluation.snapshot, evaluation.consensus
        found = np.zeros(rows.size, DECISION)
        found["symbol"] = rows
        if enabled:  # off: no entries and no signals, but stops and time go on
            found["side"] = entry_sides(together, evaluation.trust, setup.rules)[rows]
        found["flagged"] = snapshot.flagged[rows, self._column]
        found["key"] = evaluation.key[rows]
        found["atr"] = snapshot.atr[rows, self._column]
        found["score"] = together.final[rows]
        found["confidence"] = together.confidence[rows]
        said = (
            together.final, together.net, together.confidence, together.consensus,
            together.disagreement, evaluation.trust,
        )  # fmt: skip
        return Decided(found, np.stack([values[rows] for values in said], axis=1))


def decision_of(timeframes: Sequence[Timeframe], wanted: Timeframe) -> Timeframe:
    """Return the timeframe to decide by: the wanted one, else the next longer, else the longest."""
    ordered = sorted(timeframes, key=length_ms)
    longer = (t for t in ordered if length_ms(t) >= length_ms(wanted))
    return next(longer, ordered[-1])

