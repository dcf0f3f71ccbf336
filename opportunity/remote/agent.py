"""The agent of another process, with the interface of the one in this."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

import param

from opportunity.contracts.realtime import CHANNELS
from opportunity.errors import ConflictError, unknown
from opportunity.remote.address import read_address
from opportunity.remote.jobs import RemoteJob
from opportunity.remote.line import Answer, Line
from opportunity.remote.loop import Loop
from opportunity.remote.problems import RemoteError
from opportunity.remote.reading import Found, Reading
from opportunity.remote.signals import Signals
from opportunity.remote.stream import State, Stream
from opportunity.remote.turned import RemoteRules, RemoteWeights, Taking
from opportunity.shared import Shared

if TYPE_CHECKING:
    import pandas as pd

Callback = Callable[[dict[str, Any]], None]

FOLLOWED: Final = ("status", "config", "trade", "alert", "portfolio")
"""Channels that every remote agent listens to; they come whole."""

MOST_EVENTS: Final = 1_000
READ_ONLY: Final = ("running", "last_scan_at", "last_scan_ms", "next_scan_at", "last_error")


class RemoteAgent(Shared):
    """An agent elsewhere: its switch, weights, rules, signals, account and backtests.

    Make one with `opportunity.connect`. Parameters follow the server; setting `enabled`,
    `scan_interval_ms`, `weights` or `rules` sends it and returns when it is in force there. The
    line comes back by itself after a break, and nothing that happened meanwhile is missed.

    Made on a running loop (a notebook, a server), what it is told is set on that loop; elsewhere
    on a thread of its own.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8000``.
    token : str, optional
        API key or access token.

    Attributes
    ----------
    weights : RemoteWeights
    rules : RemoteRules
    trades, alerts : deque of dict
        The last events of each, oldest first.
    """

    enabled = param.Boolean(True, doc="Publish new signals.")
    scan_interval_ms = param.Integer(30_000, doc="Heartbeat that re-publishes signals, ms.")
    running = param.Boolean(False, doc="The loop is up (read only).")
    last_scan_at = param.Integer(None, allow_None=True, doc="Feed time, ms UTC (read only).")
    last_scan_ms = param.Number(None, allow_None=True, doc="How long it took, ms (read only).")
    next_scan_at = param.Integer(None, allow_None=True, doc="Feed time, ms UTC (read only).")
    last_error = param.String("", doc="What stopped the loop (read only).")
    source = param.String("", doc="Stamp of the market, e.g. simulated (read only).")
    signals = param.Parameter(None, doc="Newest signals by symbol, a DataFrame (read only).")
    portfolio = param.Dict({}, doc="The paper account as it was stored last (read only).")
    rejected = param.Dict({}, doc="Symbols that the stream refused, and why (read only).")
    line = param.String("connecting", doc="State of the line (read only).")
    line_note = param.String("", doc="Why it is so (read only).")

    def __init__(self, url: str, token: str | None = None) -> None:
        super().__init__()
        self._loop = Loop()
        self._line = Line(read_address(url), token)
        self._stream = Stream(self._line, self._hear, self._turned)
        self._signals, self._fresh, self._taking = Signals(), False, Taking()
        self._versions: dict[str, str] = {}
        self._reading = Reading(self._line, lambda found: self._loop.tell(self._take_all, found))
        self._callbacks: dict[str, list[Callback]] = {}
        self.weights = RemoteWeights(self._send_weights)
        self.rules = RemoteRules(self._send_rules)
        self.trades: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self.alerts: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self.symbols: tuple[str, ...] = ()
        self.timeframes: tuple[str, ...] = ()
        try:
            self._loop.run(self._begin())
        except BaseException:
            self.close()
            raise
        self.param.watch(self._switched, ["enabled", "scan_interval_ms"])

    # -- life ------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Read everything once, so that a wrong address or token is told at once."""
        found = await self._reading.read()
        self._take_all(found)
        self._stream.open()
        await self._stream.subscribe(FOLLOWED)
        symbols = found.status["subscribed_symbols"] or self.symbols[:50]
        await self._stream.subscribe(["signal"], symbols)

    def close(self) -> None:
        """End the line; the agent itself goes on."""
        if not self._loop.open:
            return
        self._loop.run(self._end())
        self._loop.close()

    async def _end(self) -> None:
        await self._stream.close()
        await self._reading.close()
        await self._line.close()

    async def stop(self) -> None:
        """Do what `close` does, for code that has an `Agent` elsewhere."""
        await asyncio.to_thread(self.close)

    def _repr_html_(self) -> str:
        what = "on" if self.enabled else "off"
        stamp = escape(self.source or "unknown")
        head = f"<p>Agent at <b>{escape(self._line.address.http)}</b>: {what}, market: {stamp}, "
        table = "" if self.signals is None else self.signals.to_html()
        return f"{head}line: {escape(self.line)}</p>{table}"

    def __enter__(self) -> "RemoteAgent":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- asking ----------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        """Read any resource of the API, e.g. ``get("/api/journal/summary")``.

        Raises
        ------
        RemoteError
            If the server refuses or fails, or is not there.
        """
        return self._loop.run(self._line.get(path, **query))

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Send a command to any resource of the API; sent twice it counts once."""
        return self._ask("POST", path, dict(body or {}), query)

    def refresh(self) -> "RemoteAgent":
        """Read switch and last scan anew; return itself."""
        self._take_status(self.get("/api/agent/status"))
        return self

    def subscribe(
        self, symbols: Sequence[str], timeframes: Sequence[str] | None = None,
        min_confidence: float | None = None,
    ) -> None:
        """Hear the signals of more symbols, on this line only; see `signals`."""
        more: dict[str, Any] = {}
        if timeframes is not None:
            more["timeframes"] = list(timeframes)
        if min_confidence is not None:
            more["min_confidence"] = min_confidence
        self._loop.run(self._stream.subscribe(["signal"], symbols, **more))

    def on(self, channel: str, callback: Callback) -> Callable[[], None]:
        """Call a function with every message of a channel; return the way out.

        Parameters
        ----------
        channel : str
            One of `CHANNELS`: signal, price, market_scan, status, config, backtest, trade, alert,
            portfolio. Signals and prices come of the symbols that are subscribed to.
        callback : callable
        """
        if channel not in CHANNELS:
            raise ValueError(unknown("channel", channel, CHANNELS))
        listed = self._callbacks.setdefault(channel, [])
        listed.append(callback)
        if channel not in (*FOLLOWED, "signal"):
            of = self.symbols[:50] if channel == "price" else ()
            self._loop.run(self._stream.subscribe([channel], of))
        return lambda: listed.remove(callback) if callback in listed else None

    def signal_log(self) -> "pd.DataFrame":
        """Return the last signals in the order of their arrival."""
        return self._signals.log_frame()

    def scan(
        self, symbols: Sequence[str] | None = None, timeframes: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None, rules: Mapping[str, Any] | None = None,
    ) -> "pd.DataFrame":
        """Scan now, under weights and rules of this request only; return the ranking."""
        import pandas as pd

        asked: dict[str, Any] = {"symbols": list(symbols or self.symbols[:50])}
        for name, value in (("timeframes", timeframes), ("weights", weights), ("rules", rules)):
            if value is not None:
                asked[name] = dict(value) if isinstance(value, Mapping) else list(value)
        rows = self._ask("POST", "/api/scanner/run", asked)["results"]
        frame = pd.DataFrame(rows)
        return frame.set_index("rank") if len(frame) else frame

    def score(self, symbol: str, timeframe: str = "1h") -> dict[str, Any]:
        """Return the judgement of one stream with all of its parts."""
        asked = {"symbol": symbol, "timeframe": timeframe}
        found: dict[str, Any] = self._ask("POST", "/api/signals/score", asked)
        return found

    def backtest(
        self, symbol: str | Sequence[str], start: str, end: str, **more: Any
    ) -> RemoteJob:
        """Begin a backtest on the server.

        Parameters
        ----------
        symbol : str or sequence of str
            Several are a portfolio with shared cash.
        start, end : str
            Dates, or times in ISO 8601, UTC.
        **more
            Whatever `POST /api/backtest/run` takes: timeframe, weights, rules, risk, fee, ...
        """
        several = not isinstance(symbol, str)
        asked = {"symbols" if several else "symbol": list(symbol) if several else symbol}
        body = asked | {"start_date": start, "end_date": end} | more
        job = self._ask("POST", "/api/backtest/run", body, {"wait": False})
        made = RemoteJob(self._line, self._loop, job["id"])
        return made.refresh()

    def close_position(self, symbol: str, why: str = "") -> Any:
        """Leave a paper position at its next open."""
        return self.post("/api/portfolio/close", _why({"symbol": symbol}, why))

    def flatten(self, why: str = "") -> Any:
        """Leave all paper positions at their next open."""
        return self.post("/api/portfolio/flatten", _why({}, why))

    # -- what is turned here ---------------------------------------------------------------

    def _ask(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return self._send(method, path, body, query, headers).value

    def _send(self, *asked: Any, **more: Any) -> Answer:
        try:
            return self._loop.run(self._line.ask(*asked, **more))
        finally:
            self._reading.turned()

    def _switched(self, *events: Any) -> None:
        if self._taking.now:
            return
        try:
            for event in events:
                if event.name == "enabled":
                    query = {"enabled": event.new}
                    self._take_status(self._ask("PUT", "/api/agent/toggle", {}, query))
                else:
                    query = {event.name: event.new}
                    self._ask("PUT", "/api/agent/config", {}, query)
        except BaseException:
            self._set({event.name: event.old for event in events})
            raise

    def _send_weights(self, _: dict[str, Any]) -> None:
        """Send all nine, scaled to a sum of 1, if nobody else has changed them meanwhile."""
        total = self.weights.total
        if total <= 0:
            raise ValueError("sum of the weights must be > 0, was 0")
        body = {name: value / total for name, value in self.weights.as_dict().items()}
        known = self._versions.get("weights")
        try:
            answer = self._send(
                "PUT", "/api/config/weights", body, headers={"If-Match": known} if known else None
            )
        except RemoteError as error:
            if error.status == 412:
                text = "weights were changed by somebody else meanwhile: set them again"
                raise ConflictError(text) from error
            raise
        self._versions["weights"] = answer.etag
        self.weights.take(body)  # as the stream will say; two sets in a row must not depend on when

    def _send_rules(self, changed: dict[str, Any]) -> None:
        self._ask("PUT", "/api/agent/config", {"rules": changed})

    # -- what is told from there -----------------------------------------------------------

    def _set(self, values: Mapping[str, Any]) -> None:
        with self._taking:
            self.param.update(**values)

    def _take_all(self, found: Found) -> None:
        status, config, weights = found
        self.symbols, self.timeframes = tuple(config["symbols"]), tuple(config["timeframes"])
        self._take_status(status)
        self.rules.take(config["rules"])
        if weights.etag != self._versions.get("weights"):
            self._versions["weights"] = weights.etag
            self.weights.take(weights.value)

    def _take_status(self, status: Mapping[str, Any]) -> None:
        values = {name: status.get(name) for name in ("enabled", "scan_interval_ms", *READ_ONLY)}
        values["last_error"] = status.get("last_error") or ""
        self._set(values | {"source": status.get("source") or ""})

    def _turned(self, state: State, why: str) -> None:
        self._loop.tell(self._set, {"line": state, "line_note": why})

    def _hear(self, message: dict[str, Any]) -> None:
        """Take a message; on the client's thread."""
        self._reading.hear(message)
        if message.get("type") == "signal":
            self._signals.take(message)
            if not self._fresh:  # one frame for a burst of signals
                self._fresh = True
                self._loop.later(FRAME_S, self._show_signals)
        self._loop.tell(self._heard, message)
        kind = str(message.get("type"))
        listed = self._callbacks.get(_CHANNEL.get(kind, kind), [])
        for callback in tuple(listed):  # each apart: one that raises ends no other
            self._loop.tell(self._call, listed, callback, message)

    @staticmethod
    def _call(listed: list[Callback], callback: Callback, message: dict[str, Any]) -> None:
        if callback in listed:  # it may have left meanwhile
            callback(message)

    def _show_signals(self) -> None:
        self._fresh = False
        frame = self._signals.frame()
        self._loop.tell(self._set, {"signals": frame})

    def _heard(self, message: dict[str, Any]) -> None:
        """Take a message where the parameters belong."""
        kind = str(message.get("type"))
        if kind == "status":
            agent = message.get("agent") or {}  # the switch comes in order, as an event
            self._set({n: agent[n] for n in ("running",) if n in agent})
        elif kind == "subscription_confirmed":
            refused = {r["symbol"]: r["reason"] for r in message.get("rejected") or ()}
            if refused:
                self._set({"rejected": self.rejected | refused})
        elif kind == "config_changed":
            self._take_config(message)
        elif kind == "portfolio":
            self._set({"portfolio": message["portfolio"]})
        elif kind == "trade":
            self.trades.append(message)
        elif kind == "alert":
            self.alerts.append(message)

    def _take_config(self, message: Mapping[str, Any]) -> None:
        what, value = message.get("what"), message.get("value")
        if not isinstance(value, Mapping):
            return
        if what == "weights":
            version = message.get("version")
            if version is not None:
                if version < _number(self._versions["weights"]):  # of before what was set here
                    return
                self._versions["weights"] = f'"{version}"'
            self.weights.take(value)
        elif what == "rules":
            self.rules.take(value)
        elif what == "agent":
            known = {n: value[n] for n in ("enabled", "scan_interval_ms") if n in value}
            self._set(known)


FRAME_S: Final = 0.25
"""Least time between two frames of `signals`, seconds."""

_CHANNEL: Final = {"config_changed": "config"}


def _number(etag: str) -> int:
    text = etag.removeprefix("W/").strip('"')
    return int(text) if text.isdecimal() else 0


def _why(body: dict[str, Any], why: str) -> dict[str, Any]:
    return body | ({"why": why} if why else {})
