"""Trades on paper beside the agent: the newest ranking of each batch becomes orders.

The broker is the backtest's own, and so is the rule that lets an entry through: what is recorded
here, a backtest of the same bars finds again.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.entries import entry_sides
from opportunity.feeds.base import Closed
from opportunity.live.account import Account, Decided
from opportunity.live.candidates import Asked, candidates_of, entries_of, load
from opportunity.live.judged import Judged
from opportunity.live.paper_trading import CASH, DECISION_TIMEFRAME, PaperTrading
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms
from opportunity.measured import MEASURED
from opportunity.storage.books import PAPER, Book
from opportunity.storage.candidates import Candidate
from opportunity.strategy import Evaluation
from opportunity.trading.broker import PaperBroker
from opportunity.trading.records import CLOSED, DECISION
from opportunity.trading.setup import TradeSetup

__all__ = [
    "CASH", "DECISION_TIMEFRAME", "Decided", "Judged", "PaperTrading", "Trader", "decision_of",
]  # fmt: skip


class Trader(Account):
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
    name : str
        Of the book.
    stored : Book, optional
        To go on with; see `Account.resume`. Without one the account is new.
    source : str
        Stamp of the market.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        wanted: Timeframe,
        setup: TradeSetup,
        name: str = PAPER,
        stored: Book | None = None,
        source: str = "",
    ) -> None:
        super().__init__(symbols, setup, decision_of(timeframes, wanted), name, source)
        self._column = tuple(timeframes).index(self.decision)
        self._closed: TimeArray = np.zeros(len(symbols), np.int64)
        self.opening = None if stored is None else self.resume(stored)
        """Posting of what was closed at the start: its symbols are not watched any more."""

    def start(self, closed: TimeArray) -> None:
        """Take what has closed before the first batch, (n_symbols, n_timeframes): no decisions.

        Blocks for some milliseconds, minutes on a machine where nothing is compiled yet.
        """
        self._closed = closed[:, self._column].copy()
        other = PaperBroker(self.broker.symbols, self._setup.terms(), 1.0)  # loads the kernels
        other.batch(np.zeros(1, np.int64), np.zeros(1, np.int64), 0, np.ones((1, 5)))
        other.decide(np.zeros(1, DECISION))
        load()

    def follow(
        self, event: Closed, batch: int, time: int, judged: Judged | None, stale: int = CLOSED
    ) -> Decided:
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
        stale : int
            State of the breaker of stale data: CLOSED, OPEN or HALF_OPEN.

        Returns
        -------
        Decided
            With the posting of all that changed, None where nothing did. A batch that the
            account has been through before is skipped.
        """
        if event.time <= self.resumed:
            self._pass(judged)
            return Decided.none(skipped=True)
        self.take_batch(event.rows, event.times, time, event.values, event.time)
        self.broker.set_stale(stale, time)
        if judged is None:
            return self.settle(Decided.none())
        evaluation, config = judged.evaluation, judged.config
        closed = evaluation.snapshot.closed[:, self._column]
        rows = np.flatnonzero(closed > self._closed)
        self._closed = np.maximum(self._closed, closed)
        setup = config.trade or self._setup
        decided = self._decide(evaluation, setup, rows, config.enabled)
        decided.rows["batch"], decided.rows["time"] = batch, time
        first = int(self.broker.account["n_orders"][0])
        self.broker.decide(decided.rows)
        candidates = self._candidates(judged, decided, setup, first)
        MEASURED.count("decisions", len(candidates))
        if setup != self._setup:
            self._setup, self.broker.terms = setup, setup.terms()
        return self.settle(decided, candidates)

    def _pass(self, judged: Judged | None) -> None:
        """Let a batch go by that was decided on before."""
        if judged is not None:
            closed = judged.evaluation.snapshot.closed[:, self._column]
            self._closed = np.maximum(self._closed, closed)

    def _candidates(
        self, judged: Judged, decided: Decided, setup: TradeSetup, first: int
    ) -> tuple[Candidate, ...]:
        """Return what was thought of and what came of it; only the agent's own book keeps it."""
        if self.name != PAPER or not decided.rows.size:
            return ()
        numbers = np.arange(first, int(self.broker.account["n_orders"][0]))
        placed = entries_of(numbers, self.broker.orders_of(numbers))
        config = judged.config
        asked = Asked(self.decision, setup.rules, config.enabled, config.version)
        return candidates_of(judged.evaluation, decided.rows, placed, asked)

    def _decide(
        self, evaluation: Evaluation, setup: TradeSetup, rows: NDArray[np.int64], enabled: bool
    ) -> Decided:
        snapshot, together = evaluation.snapshot, evaluation.consensus
        found: NDArray[Any] = np.zeros(rows.size, DECISION)
        found["symbol"] = rows
        if enabled:  # off: no entries and no signals, but stops and time go on
            found["side"] = entry_sides(together, evaluation.trust, setup.rules)[rows]
        found["flagged"] = snapshot.flagged[rows, self._column]
        found["key"] = evaluation.key[rows]
        found["atr"] = snapshot.atr[rows, self._column]
        found["score"] = together.final[rows]
        found["confidence"] = together.confidence[rows]
        found["volume"] = snapshot.volume_24h[rows]
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
