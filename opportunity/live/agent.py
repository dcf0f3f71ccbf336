"""The agent: reads a feed, scores every closed bar at once, ranks and publishes.

`Agent` is the Param object that people turn; it belongs to the loop that made it. The work is
done by a `Core` (live/core.py), on the same loop or on a thread of its own, which reads one
immutable `AgentConfig` that is swapped whole on every change.
"""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import param
import structlog

from opportunity.bus.memory import Hub
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.live.config import AgentConfig, Challenger, ScanStats
from opportunity.live.core import Core
from opportunity.live.desk import Books, Desk
from opportunity.live.gatherer import Gatherer, Sources
from opportunity.live.notes import NoteKeeper, NoteStore
from opportunity.live.observers import Observers
from opportunity.live.paper_agent import PaperAgent
from opportunity.live.paper_trading import PaperTrading
from opportunity.live.portfolio import Portfolio, PortfolioState
from opportunity.market.bars import Bar
from opportunity.market.observations import ObservationStore
from opportunity.market.timeframe import Timeframe, timeframe
from opportunity.scoring.calibration import Calibration
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.weights import Weights
from opportunity.storage.lease import Lease
from opportunity.storage.ledger import Ledger
from opportunity.strategy import Evaluation, ScanRules
from opportunity.trading.setup import TradeSetup

logger = structlog.get_logger(__name__)

DEFAULT_TIMEFRAMES: tuple[Timeframe, ...] = ("5m", "15m", "30m", "1h", "4h", "1d")


class Agent(PaperAgent):
    """Watches a feed and publishes signals while `enabled`.

    Parameters
    ----------
    feed : Feed
        Where bars come from.
    weights : Weights, optional
        Shared weights; a change re-ranks within a second. Defaults to balanced.
    rules : ScanRules, optional
        Shared rules of what counts as an opportunity.
    timeframes : sequence of str, optional
        Timeframes to score; those shorter than the feed's base are left out.
    hub : Hub, optional
        Where records are published; without one, read `evaluation()` and `snapshot()`.
    state : Path, optional
        File that keeps the streams' state over a restart.
    store : ObservationStore, optional
        Where headlines, funding and so on are kept; read at the start.
    sources : Sources, optional
        Pollers of such records beside the feed, for a feed whose time is wall time.
    calibration : Calibration, optional
        Gives success to scores that it fits; others are calibrated from the history that the
        agent starts from, some seconds after the start.
    notes : NoteStore, optional
        Where what happened to single bars is kept, e.g. corrections.
    trading : PaperTrading or TradeSetup, optional
        Trade on paper by it; by default only where a session is recorded or a ledger is given.
    session : Path, optional
        Folder, made at the start, for the log of all that comes in and all that is done: what
        `opportunity verify` holds against a backtest.
    ledger : Ledger, optional
        Where the paper account is kept, so that it outlives any crash; without one it begins
        anew at every start.
    lease : Lease, optional
        The right to trade, acquired; renewed while the agent runs and let go when it stops.
    """

    enabled = param.Boolean(True, doc="Publish new signals; off keeps prices and states going.")
    scan_interval_ms = param.Integer(
        30_000, bounds=(100, 60_000), doc="Heartbeat that re-publishes every signal, ms."
    )
    running = param.Boolean(False, doc="The loop is up (read only).")
    last_scan_at = param.Integer(None, allow_None=True, doc="Feed time of the last scan, ms UTC.")
    last_scan_ms = param.Number(None, allow_None=True, doc="How long the last scan took, ms.")
    next_scan_at = param.Integer(None, allow_None=True, doc="Feed time of the next beat, ms UTC.")
    last_error = param.String("", doc="What stopped the loop; empty while all is well.")
    n_scans = param.Integer(0, doc="Scans since the start.")

    def __init__(
        self,
        feed: Feed,
        weights: Weights | None = None,
        rules: ScanRules | None = None,
        timeframes: Sequence[str] = DEFAULT_TIMEFRAMES,
        hub: Hub | None = None,
        state: Path | None = None,
        store: ObservationStore | None = None,
        sources: Sources | None = None,
        calibration: Calibration | None = None,
        notes: NoteStore | None = None,
        trading: PaperTrading | TradeSetup | None = None,
        session: Path | None = None,
        ledger: Ledger | None = None,
        lease: Lease | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self.feed = feed
        self.weights = Weights() if weights is None else weights
        self.rules = ScanRules() if rules is None else rules
        self.hub = hub
        if isinstance(trading, TradeSetup):
            trading = PaperTrading.of(trading)
        kept = session is not None or ledger is not None
        self.trading = PaperTrading() if trading is None and kept else trading
        self.portfolio = Portfolio()
        """The paper account, to watch."""
        self._traded: TradeSetup | None = None
        self._challengers: tuple[Challenger, ...] = ()
        self._relearn = 0
        self._desk = Desk(self.trading, session, Books(ledger, lease, hub))
        self._version = 0
        self._core = Core(
            feed, tuple(dict.fromkeys(timeframe(t) for t in timeframes)), hub, state,
            self._config(), Gatherer(feed, store, sources), calibration, NoteKeeper(feed, notes),
            self._desk,
        )
        self._task: asyncio.Future[None] | None = None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Future[None] | None = None
        self._home: asyncio.AbstractEventLoop | None = None
        watched = [
            (self, ["enabled", "scan_interval_ms"]),
            (self.weights, list(self.weights.as_dict())),
            (self.rules, [n for n in self.rules.param if n != "name"]),
        ]
        for turned in () if self.trading is None else (self.trading.rules, self.trading.risk):
            watched.append((turned, [n for n in turned.param if n != "name"]))
        self._watchers = [(o, o.param.watch(self._changed, names)) for o, names in watched]

    # -- life ------------------------------------------------------------------------------

    async def start(self, thread: bool = False, patient: bool = False) -> None:
        """Warm up and go on until `stop`; a second call changes nothing.

        Parameters
        ----------
        thread : bool
            Run on a loop and thread of its own, so that nothing done on the caller's loop can
            delay a decision.
        patient : bool
            Ask a market that does not answer again and again, with a pause that grows to ten
            seconds, instead of raising; `feed.status()` says so meanwhile.

        Raises
        ------
        OpportunityError
            If the feed cannot be opened or has too little history, or `stop` came first; the
            agent stays stopped and may be started again. Once it has run it cannot: its feed is
            closed then.
        """
        if self._ended is not None:
            return
        if self._core.latest is not None:
            raise OpportunityError("agent must be started once, was stopped: make a new one")
        self._home = asyncio.get_running_loop()
        self._ended = self._home.create_future()
        ready = self._home.create_future()
        self._core.reporter = lambda stats: self._call(self._note, stats)
        self._core.stopping, self._core.patient = False, patient
        self._core.on_ready = lambda error=None: self._call(_settle, ready, error)
        self._desk.tell(
            lambda state: self._call(self._show, state),
            lambda text: self._call(self._complain, text),
        )
        if thread:
            self._thread = threading.Thread(target=self._run, name="agent", daemon=True)
            self._thread.start()
        else:
            self._task = asyncio.ensure_future(self._core.run())
            self._task.add_done_callback(lambda _: self._finished())
        try:
            await ready
        except BaseException:
            await self.stop()
            raise
        self.running = not self._ended.done()  # an error may have ended it already

    async def stop(self) -> None:
        """Stop the loop, keep the streams' state and free the feed."""
        ended = self._ended
        if ended is None:
            return
        self._core.stop()
        await ended
        if self._thread is not None:
            self._thread.join()  # it said so with its last breath
            self._thread = None
        self._ended = None
        self.running = False

    def close(self) -> None:
        """Let go of the shared objects; the agent cannot be started again."""
        for owner, watcher in self._watchers:
            owner.param.unwatch(watcher)
        self._watchers = []

    def _run(self) -> None:
        try:
            asyncio.run(self._core.run())
        finally:
            self._call(self._finished)

    def _finished(self) -> None:
        self.param.update(running=False, last_error=self._core.error or self._desk.halted)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    # -- what the core tells -----------------------------------------------------------------

    def _call(self, function: Any, *args: Any) -> None:
        if self._home is not None and not self._home.is_closed():
            self._home.call_soon_threadsafe(function, *args)

    def _note(self, stats: ScanStats) -> None:
        self.param.update(
            last_scan_at=stats.time, last_scan_ms=stats.took_ms, next_scan_at=stats.next_at,
            n_scans=stats.n_scans,
        )

    def _show(self, state: PortfolioState) -> None:
        self.portfolio.show(state)

    def _complain(self, text: str) -> None:
        self.last_error = text

    # -- what people turn --------------------------------------------------------------------

    def _config(self) -> AgentConfig:
        self._version += 1
        return AgentConfig(
            version=self._version,
            enabled=self.enabled,
            interval_ms=self.scan_interval_ms,
            weights=self.weights.as_array(),
            rules=self.rules.record(),
            trade=self._trade(),
            challengers=self._challengers,
            relearn=self._relearn,
        )

    def _trade(self) -> TradeSetup | None:
        """Return how to trade now; what was before where rules do not fit each other (yet)."""
        if self.trading is not None:
            try:
                self._traded = self.trading.setup()
            except ValueError as error:
                if self._traded is None:
                    raise
                logger.warning("trade rules not taken", error=str(error))
        return self._traded

    def _changed(self, *_: Any) -> None:
        self._core.configure(self._config())

    # -- what anybody may read ---------------------------------------------------------------

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """Timeframes that are scored."""
        return self._core.timeframes

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that are watched."""
        return self.feed.symbols

    def snapshot(self) -> MarketSnapshot | None:
        """Return the newest outputs of all streams; None before the warm-up is done."""
        return self._core.latest

    def evaluation(self) -> Evaluation | None:
        """Return the newest ranking under the shared weights and rules."""
        return self._core.evaluation

    @property
    def time(self) -> int:
        """Feed time up to which bars are scored, ms UTC; 0 before the warm-up is done."""
        return self._core.time

    def forming(self, symbol: str, timeframe: Timeframe) -> Bar | None:
        """Return the unfinished bar of a stream, the running base bar included; None without."""
        return self._core.forming(symbol, timeframe)

    def preview(self, symbol: str, timeframe: Timeframe) -> Explanation | None:
        """Return what the unfinished bar of a stream would score, under the shared weights.

        A look ahead: never stored, ranked or published; say so wherever it is shown. None where
        no bar is unfinished, and for what is not watched.
        """
        return self._core.preview(symbol, timeframe)

    def calibration(self, weights: WeightsLike | None = None) -> Calibration | None:
        """Return what gives success to scores of these weights, by default the shared ones.

        Ask its `problem` whether it fits; None while nothing has been learned.
        """
        return self._core.calibration(
            weight_array(self.weights if weights is None else weights)
        )

    def observers(self, symbols: Sequence[str]) -> Observers | None:
        """Return what is known besides bars of some watched symbols; None before the warm-up."""
        return self._core.observers(symbols)

    @property
    def session_error(self) -> str:
        """Why the log of the session ended early; empty while all is well, or without one."""
        return self._desk.error

    @property
    def storage_error(self) -> str:
        """Why the paper account cannot be stored now; empty while all is well."""
        return self._desk.storage_error


def _settle(ready: asyncio.Future[None], error: BaseException | None) -> None:
    if ready.done():
        return
    if error is None:
        ready.set_result(None)
    else:
        ready.set_exception(error)
