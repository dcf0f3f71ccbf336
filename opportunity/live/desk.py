"""What runs beside the agent's loop: trading on paper, and the log of the session."""

import asyncio
import platform
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numba
import numpy as np
import structlog
from numpy.typing import NDArray

from opportunity.feeds.base import Closed, Feed
from opportunity.kernels import VERSION
from opportunity.live.config import AgentConfig
from opportunity.live.recording import Recorder
from opportunity.live.streams import Streams
from opportunity.live.trader import Decided, Judged, PaperTrading, Trader, decision_of
from opportunity.market.observations import Record
from opportunity.market.timeframe import Timeframe
from opportunity.market.trust import Faults
from opportunity.storage.frames import Frame
from opportunity.storage.session import BATCH
from opportunity.trading.records import PLACED
from opportunity.version import version

logger = structlog.get_logger(__name__)


class Desk:
    """Trades and records what an agent sees; without trading and a folder it does nothing.

    Parameters
    ----------
    trading : PaperTrading, optional
        Trades on paper by it.
    folder : Path, optional
        Where the log of the session is made.
    """

    def __init__(self, trading: PaperTrading | None = None, folder: Path | None = None) -> None:
        self.trading, self._folder = trading, folder
        self.trader: Trader | None = None
        self.recorder: Recorder | None = None
        self._n_batches = 0
        self._config = -1
        self._faults = b""
        self._told = [0, 0, 0]  # orders, fills and trades that are in the log
        self._waiting = np.empty(0, np.int64)  # orders there that something may still become of

    @property
    def error(self) -> str:
        """Why the log of the session ended early; empty while all is well, or without one."""
        return "" if self.recorder is None else self.recorder.error

    def open(self, feed: Feed, timeframes: Sequence[Timeframe]) -> None:
        """Begin the log; a folder that cannot be made costs the log, not the agent."""
        if self.recorder is not None and self.recorder.closed:
            self.recorder.end("its folder holds a start that failed")
        if self._folder is None or self.recorder is not None or self.trading is None:
            return
        try:
            self.recorder = Recorder(self._folder, header_of(feed, timeframes, self.trading))
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

    def begin(self, streams: Streams, judged: Judged) -> None:
        """Trade from the next batch on; nothing is decided of what closed before. Blocks."""
        snapshot, config = judged.evaluation.snapshot, judged.config
        if self.trading is None or config.trade is None:
            return
        wanted = self.trading.decision_timeframe
        self.trader = Trader(streams.symbols, streams.timeframes, wanted, config.trade)
        self.trader.start(snapshot.closed)
        if self.recorder is not None:
            number = self.recorder.number(streams)
            self.recorder.put(Frame("ready", {"streams": number, "time": snapshot.time}))
            self._tell_config(config)

    def follow(self, event: Closed, time: int, judged: Judged | None) -> None:
        """Trade on a batch and log what came of it.

        Parameters
        ----------
        event : Closed
        time : int
            Up to which bars are known, ms UTC.
        judged : Judged or None
            The ranking that it led to; None where no bar of any stream closed.
        """
        if self.trader is None:
            return
        decided = self.trader.follow(event, self._n_batches, time, judged)
        self._n_batches += 1
        if self.recorder is not None and not self.recorder.error:
            if judged is not None:
                self._tell_config(judged.config)
                self._tell_faults(judged.faults)
            self.recorder.put(self._outcome(event, time, judged, decided))

    async def close(self) -> None:
        """Write what waits."""
        if self.recorder is not None:
            await asyncio.to_thread(self.recorder.close)

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
        self, event: Closed, time: int, judged: Judged | None, decided: Decided
    ) -> Frame:
        assert self.trader is not None
        broker = self.trader.broker
        fills, trades = broker.fills_since(self._told[1]), broker.trades_since(self._told[2])
        arrays: dict[str, NDArray[Any]] = {
            "decisions": decided.rows, "said": decided.said, **self._fresh_orders(),
            "fills": fills, "trades": trades,
        }  # fmt: skip
        self._told[1:] = [self._told[1] + fills.size, self._told[2] + trades.size]
        if event.late.any():
            arrays["late"] = event.rows[event.late]
        meta = {
            "time": time, "closed": event.time, "equity": broker.equity,
            "cash": float(broker.account["cash"][0]),
            "version": -1 if judged is None else judged.evaluation.snapshot.version,
            "config": -1 if judged is None else judged.config.version,
        }  # fmt: skip
        return Frame(BATCH, meta, {n: a for n, a in arrays.items() if a.size})

    def _fresh_orders(self) -> dict[str, NDArray[Any]]:
        """Return orders that are new or became something else, and their numbers."""
        assert self.trader is not None
        broker, known = self.trader.broker, self._told[0]
        now = int(broker.account["n_orders"][0])
        places = np.concatenate([self._waiting, np.arange(known, now)])
        orders = broker.orders_of(places)
        waits = orders["status"] == PLACED
        self._told[0], self._waiting = now, places[waits]
        fresh = ~waits | (places >= known)
        return {"order_numbers": places[fresh], "orders": orders[fresh]}


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
