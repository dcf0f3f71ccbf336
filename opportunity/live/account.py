"""A paper account beside the agent: a broker, the book it is kept in, and what is posted there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.live.told import NOTHING, Fresh, Told, breaker_events, breaker_rows, events_of
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray, Timeframe, open_ms
from opportunity.storage.books import PAPER, Book, Posting
from opportunity.storage.candidates import Candidate
from opportunity.storage.events import Event
from opportunity.trading.broker import PaperBroker
from opportunity.trading.records import DECISION
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_positions

Rows = NDArray[np.int64]
Records = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """What was decided at the end of a batch, and what came of the batch.

    Parameters
    ----------
    rows : ndarray of DECISION
        By symbol.
    said : ndarray, shape (n, 6)
        Of each: final, net, confidence, consensus, disagreement, trust.
    fresh : Fresh
        Orders, fills and trades.
    posting : Posting or None
        What is to be stored; None where nothing is.
    skipped : bool
        The account had been through this batch before: nothing was done.
    """

    rows: Records
    said: FloatArray
    fresh: Fresh = NOTHING
    posting: Posting | None = None
    skipped: bool = False

    @classmethod
    def none(cls, skipped: bool = False) -> "Decided":
        """Return that nothing was decided."""
        return cls(np.empty(0, DECISION), np.empty((0, 6)), skipped=skipped)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """All that a command by hand may change of an account; see `Account.keep`."""

    account: Records
    tally: Records
    positions: Records
    breakers: Records
    version: int
    held: frozenset[int]


class Account:
    """A broker and its book.

    Parameters
    ----------
    symbols : sequence of str
        That are watched.
    setup : TradeSetup
        At the start; its cash is what a new account begins with.
    decision : Timeframe
        At whose closes is decided.
    name : str
        Of the book.
    source : str
        Stamp of the market.

    Attributes
    ----------
    broker : PaperBroker
    time : int
        Feed time up to which bars are worked in, ms UTC.
    resumed : int
        The same as it was stored: batches up to it are not gone through again.
    noted : int
        The same as of the newest posting.
    epoch, version : int
        Of the book; every posting makes the version one larger.
    begun, start_cash
        Feed time and cash at the start of the epoch.
    """

    def __init__(
        self, symbols: Sequence[str], setup: TradeSetup, decision: Timeframe, name: str = PAPER,
        source: str = "",
    ) -> None:
        self.name, self.source, self.decision = name, source, decision
        self._setup = setup
        self.time = self.resumed = self.begun = -1
        self.noted = -1
        self.epoch, self.version, self.start_cash = 0, 0, setup.cash
        self._open(PaperBroker(symbols, setup.terms(), setup.cash))
        n = len(self.broker.symbols)
        self._seen: TimeArray = np.zeros(n, np.int64)  # when each symbol's newest bar closed
        self._aged: TimeArray = np.zeros(n, np.int64)  # decision close that positions aged at

    def _open(self, broker: PaperBroker) -> None:
        self.broker, self._told = broker, Told(broker)
        self._breakers = breaker_rows(broker.account)
        self._held: frozenset[int] = frozenset(self.active.tolist())

    @property
    def setup(self) -> TradeSetup:
        """Under what it trades."""
        return self._setup

    @property
    def active(self) -> Rows:
        """Symbols that are held, or about to be."""
        p = self.broker.positions
        return np.flatnonzero((p["side"] != 0) | (p["wanted"] != 0) | (p["exit"] != 0))

    @property
    def marked_at(self) -> int:
        """When the oldest newest bar of what is held closed; `time` where nothing is held."""
        held = self.active
        return min(self.time, int(self._seen[held].min())) if held.size else self.time

    def seen(self, rows: Rows) -> TimeArray:
        """Return when the newest bar of each symbol closed that was worked in, ms UTC."""
        return self._seen[rows]

    # -- going on ------------------------------------------------------------------------------

    def resume(self, stored: Book) -> Posting | None:
        """Go on with a book, in memory; what it holds of other symbols is closed at its last mark.

        Returns
        -------
        Posting or None
            Of what was closed so.
        """
        watched = self.broker.symbols
        gone = tuple(s for s in stored.positions if s not in watched)
        symbols = (*watched, *gone)
        positions = new_positions(len(symbols))
        for symbol, record in stored.positions.items():
            positions[symbols.index(symbol)] = record[0]
        whole = PaperBroker(symbols, self._setup.terms(), stored.cash)
        whole.restore(stored.account, stored.tally, positions)
        self.time = self.resumed = self.noted = stored.time
        self.begun, self.start_cash = stored.begun, stored.cash
        self.epoch, self.version = stored.epoch, stored.version
        self._seen[:] = stored.time
        for symbol, seen in stored.seen.items():
            if symbol in watched:
                self._seen[watched.index(symbol)] = seen
        self._aged[:] = open_ms(stored.time, self.decision) if stored.time > 0 else 0
        self._open(whole)
        posting = None
        if gone:
            for row in range(len(watched), len(symbols)):
                whole.forget(row, max(stored.time, 0))
            posting = self.settle(Decided.none()).posting
        if gone:
            broker = PaperBroker(watched, self._setup.terms(), stored.cash)
            broker.restore(whole.account, whole.tally, whole.positions[: len(watched)])
            self._open(broker)
        return posting

    def restart(self, cash: float) -> None:
        """Begin anew with cash and nothing else, in memory."""
        self.epoch, self.version = self.epoch + 1, self.version + 1
        self.begun, self.start_cash, self.resumed = self.time, cash, -1
        self._open(PaperBroker(self.broker.symbols, self._setup.terms(), cash))

    def mark(self, prices: FloatArray) -> None:
        """Take prices as marks of what is flat: a decision before its next bar needs one."""
        positions = self.broker.positions
        unknown = (positions["side"] == 0) & np.isnan(positions["mark"])
        positions["mark"][unknown] = prices[unknown]

    def begin(self, time: int) -> None:
        """Begin at a feed time, ms UTC, an account that no book is kept of."""
        if self.begun < 0:
            self.begun = self.time = self.noted = time
            self._aged[:] = open_ms(time, self.decision)

    # -- batches -------------------------------------------------------------------------------

    def take_batch(
        self, rows: Rows, opened: TimeArray, time: int, values: FloatArray, closed: int
    ) -> None:
        """Have the broker take bars; `time` is up to which bars are known, `closed` their own."""
        self.broker.batch(rows, opened, time, values)
        self._seen[rows] = np.maximum(self._seen[rows], closed)
        self.time = max(self.time, time)

    def miss(self, rows: Rows, opened: TimeArray, time: int, values: FloatArray) -> Posting | None:
        """Go through bars that closed while nobody traded: fills, stops, targets, marks.

        At a decision close positions age; nothing is entered, and no stop trails.

        Parameters
        ----------
        rows, opened, values : ndarrays
            Bars of symbols that are held; those that were worked in are left out.
        time : int
            When they closed, ms UTC.
        """
        mine = np.isin(rows, self.active) & (self._seen[rows] < time)
        rows, opened, values = rows[mine], opened[mine], values[mine]
        if time <= self.time and not rows.size:
            return None
        moment = max(time, self.time)
        self.take_batch(rows, opened, moment, values, time)
        close = open_ms(time, self.decision)
        due = rows[self._aged[rows] < close]
        self._aged[due] = close
        found: Records = np.zeros(due.size, DECISION)
        for name in ("key", "atr", "score", "confidence", "volume"):
            found[name] = np.nan
        found["symbol"], found["time"] = due, moment
        if due.size:
            self.broker.decide(found)
        return self.settle(Decided(found, np.empty((due.size, 6)))).posting

    def note(self) -> Posting:
        """Return a posting that says up to which bars the account is worked in."""
        posting = self.settle(Decided.none(), force=True).posting
        assert posting is not None
        return posting

    def settle(
        self, decided: Decided, candidates: tuple[Candidate, ...] = (),
        events: tuple[Event, ...] = (), reason: str = "", force: bool = False,
    ) -> Decided:
        """Return what was decided with what came of it, and the posting of it.

        Parameters
        ----------
        decided : Decided
        candidates, events : tuples
            That go into the posting.
        reason : str
            Why breakers change, where they do not say so themselves.
        force : bool
            Make a posting whether or not anything happened.
        """
        fresh = self._told.take(self.broker)
        breakers = breaker_rows(self.broker.account)
        turned = not np.array_equal(breakers, self._breakers)
        if not (fresh or turned or decided.rows.size or events or force):
            return decided
        before, self._breakers = self._breakers, breakers
        self.version, self.noted = self.version + 1, self.time
        happened: list[Event] = list(events)
        if self.name == PAPER:
            key = f"{self.name}:{self.epoch}"
            common = {"book": self.name, "source": self.source}
            happened += events_of(fresh, key, common, self.broker.symbols)
            if turned:
                moment = (self.time, self.version, reason)
                happened += breaker_events(before, self.broker.account, key, common, moment)
        posting = replace(
            self._posting(fresh), marked=bool(decided.rows.size),
            candidates=candidates, events=tuple(happened),
        )
        return replace(decided, fresh=fresh, posting=posting)

    def _posting(self, fresh: Fresh) -> Posting:
        broker, symbols = self.broker, self.broker.symbols
        active = self.active.tolist()
        gone = self._held.difference(active)
        self._held = frozenset(active)
        held = broker.positions[active]
        positions: dict[str, Records | None] = {symbols[row]: None for row in gone}
        positions |= {symbols[row]: held[i : i + 1] for i, row in enumerate(active)}
        gross = float(np.nansum(held["quantity"] * held["mark"])) if active else 0.0
        return Posting(
            self.name, self.epoch, self.version, self.time, symbols,
            broker.account.copy(), broker.tally.copy(), positions,
            (fresh.numbers, fresh.orders), (fresh.first_fill, fresh.fills),
            (fresh.first_trade, fresh.trades), gross=gross,
            seen={symbols[row]: int(self._seen[row]) for row in active if row < self._seen.size},
        )  # fmt: skip

    # -- commands by hand ----------------------------------------------------------------------

    def keep(self) -> Kept:
        """Return what a command may change, to `undo` it; all must have been told before."""
        broker = self.broker
        return Kept(
            broker.account.copy(), broker.tally.copy(), broker.positions.copy(),
            self._breakers, self.version, self._held,
        )  # fmt: skip

    def undo(self, kept: Kept) -> None:
        """Be again as it was: nothing of what was done since is stored."""
        self.broker.restore(kept.account, kept.tally, kept.positions)
        self._told = Told(self.broker)
        self._breakers, self.version, self._held = kept.breakers, kept.version, kept.held
