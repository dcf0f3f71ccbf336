"""What of an agent's session goes into its log besides the calls of streams."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numba
import numpy as np
import structlog
from numpy.typing import NDArray

from opportunity.feeds.base import Closed, Feed
from opportunity.kernels import VERSION
from opportunity.live.account import Account, Decided
from opportunity.live.config import AgentConfig
from opportunity.live.judged import Judged
from opportunity.live.paper_trading import PaperTrading
from opportunity.live.recording import Recorder
from opportunity.live.streams import Streams
from opportunity.live.trader import decision_of
from opportunity.market.observations import Record
from opportunity.market.timeframe import Timeframe
from opportunity.market.trust import Faults
from opportunity.storage.frames import Frame
from opportunity.storage.session import BATCH
from opportunity.trading.records import STALENESS
from opportunity.version import version

logger = structlog.get_logger(__name__)


class SessionFrames:
    """The log of a session; without a folder it does nothing.

    Parameters
    ----------
    folder : Path, optional
        Where it is made.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.recorder: Recorder | None = None
        self._config = -1
        self._faults = b""
        self._ready = False
        self.n_batches = 0

    @property
    def error(self) -> str:
        """Why the log ended early; empty while all is well, or without one."""
        return "" if self.recorder is None else self.recorder.error

    @property
    def running(self) -> bool:
        """Whether a session is recorded now."""
        return self.recorder is not None and not self.recorder.error

    def open(self, feed: Feed, timeframes: Sequence[Timeframe], trading: PaperTrading) -> None:
        """Begin the log; a folder that cannot be made costs the log, not the agent."""
        if self.recorder is not None and self.recorder.closed:
            self.recorder.end("its folder holds a start that failed")
        if self._folder is None or self.recorder is not None:
            return
        try:
            self.recorder = Recorder(self._folder, header_of(feed, timeframes, trading))
        except OSError as error:
            logger.error("session not recorded", error=str(error))

    def watch(self, streams: Streams) -> Streams:
        """Have streams tell the log what they are given; return them."""
        if self.recorder is not None:
            streams.tap = self.recorder.heard
        return streams

    def heard(self, records: Sequence[Record]) -> None:
        """Take records that became known, before the bars that see them."""
        if self.recorder is not None and records:
            self.recorder.put(list(records))

    def ready(self, streams: Streams, time: int, config: AgentConfig, account: Account) -> None:
        """Say that batches come from here on, and with what account trading begins."""
        if self.recorder is None:
            return
        self._ready = True
        self.recorder.put(Frame("ready", {"streams": self.recorder.number(streams), "time": time}))
        if account.epoch or account.version:
            broker = account.broker
            self.recorder.put(Frame("account", {}, {
                "account": broker.account.copy(), "tally": broker.tally.copy(),
                "positions": broker.positions.copy(),
            }))  # fmt: skip
        self._tell_config(config)

    def batch(
        self, event: Closed, time: int, judged: Judged | None, decided: Decided, account: Account
    ) -> None:
        """Take a batch and what was decided and done."""
        self.n_batches += 1
        if self.recorder is None or self.recorder.error:
            return
        if not self._ready:
            self.recorder.end("the feed jumped over the time of the account")
            return
        if judged is not None:
            self._tell_config(judged.config)
            self._tell_faults(judged.faults)
        self.recorder.put(_outcome(event, time, judged, decided, account))

    def hand(self, what: Mapping[str, Any], rows: NDArray[np.int64] | None = None) -> None:
        """Take a command by hand; it stands after the batch that it came after."""
        if self.running and self.recorder is not None:
            self.recorder.put(Frame("hand", dict(what), {} if rows is None else {"rows": rows}))

    def close(self) -> None:
        """Write what waits; blocks."""
        if self.recorder is not None:
            self.recorder.close()

    def _tell_config(self, config: AgentConfig) -> None:
        if self.recorder is not None and config.version != self._config:
            self._config = config.version
            self.recorder.put(Frame("config", config_meta(config)))

    def _tell_faults(self, faults: Faults | None) -> None:
        """Write faults where they are not those that were written last."""
        assert self.recorder is not None
        arrays = {} if faults is None else {
            f.name: np.array(getattr(faults, f.name)) for f in fields(faults)
        }
        seen = b"".join(array.tobytes() for array in arrays.values())
        if seen != self._faults:
            self.recorder.put(Frame("faults", {}, arrays))
        self._faults = seen


def _outcome(
    event: Closed, time: int, judged: Judged | None, decided: Decided, account: Account
) -> Frame:
    broker, fresh = account.broker, decided.fresh
    arrays: dict[str, NDArray[Any]] = {
        "decisions": decided.rows, "said": decided.said, "order_numbers": fresh.numbers,
        "orders": fresh.orders, "fills": fresh.fills, "trades": fresh.trades,
    }  # fmt: skip
    if event.late.any():
        arrays["late"] = event.rows[event.late]
    meta = {
        "time": time, "closed": event.time, "equity": broker.equity,
        "cash": float(broker.account["cash"][0]),
        "stale": int(broker.account["breaker"][0, STALENESS]),
        "version": -1 if judged is None else judged.evaluation.snapshot.version,
        "config": -1 if judged is None else judged.config.version,
    }  # fmt: skip
    return Frame(BATCH, meta, {n: a for n, a in arrays.items() if a.size})


def header_of(
    feed: Feed, timeframes: Sequence[Timeframe], trading: PaperTrading
) -> dict[str, Any]:
    """Return what runs, as plain values."""
    market = getattr(feed, "market", None)
    return {
        "opportunity": version(),
        "kernels": VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "feed": feed.name,
        "source": feed.source,
        "seed": getattr(market, "seed", None),
        "symbols": list(feed.symbols),
        "timeframes": list(timeframes),
        "decision_timeframe": decision_of(timeframes, trading.decision_timeframe),
        "base": feed.base,
        "cash": trading.cash,
    }


def config_meta(config: AgentConfig) -> dict[str, Any]:
    """Return a config as plain values."""
    return {
        "version": config.version,
        "enabled": config.enabled,
        "weights": config.weights.tolist(),
        "scan_rules": config.rules.as_dict(),
        "trade": None if config.trade is None else config.trade.as_dict(),
    }
