"""The table of one open Live page: its rows, filters and address, and scans on request."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import orjson

from app.components.feed_badge import held_up
from app.components.filters import Filters
from app.components.island import dumps
from app.components.language import phrase
from app.components.rows import LIMIT, Shown, scanned_state, table_state
from app.components.scan_bar import Progress, ScanBar, scan_state
from app.components.signal_table import SORTS, VIEWS, SignalTable
from app.pages.head import Head
from app.pages.live_weights import LiveWeights
from opportunity.market.timeframe import TIMEFRAMES, Timeframe, length_ms
from opportunity.scoring.weights import Weights
from opportunity.strategy import Evaluation

if TYPE_CHECKING:
    from app.services import Services

PARTS: Final = 12
"""In how many parts a deep scan is done, so that its progress can be told."""

MOST_COMPARED: Final = 4

_TURNS: "WeakKeyDictionary[Any, asyncio.Lock]" = WeakKeyDictionary()
"""One deep scan at a time a server, whoever asks: it takes all of a core."""


_WORDED: "WeakKeyDictionary[Evaluation, dict[str, str]]" = WeakKeyDictionary()
"""Whole rankings as JSON, by what keeps the agent from scoring: pages of one market share them."""


class LiveTable:
    """Rows of one page, live or of a scan that was asked for.

    Parameters
    ----------
    services : Services
        The server's side.
    head : Head
        Of the page.
    weights : LiveWeights
        Whose draft a scan uses once it is turned.
    symbol, timeframe : str
        What is chosen first.
    """

    def __init__(
        self, services: "Services", head: Head, weights: LiveWeights, symbol: str, timeframe: str
    ) -> None:
        self._services, self._head, self._weights = services, head, weights
        self.table = SignalTable(selected=symbol, timeframe=timeframe)
        self.bar = ScanBar(on_ask=self._asked, later=head.later)
        self._newest: Evaluation | None = None
        self._scanned: list[Evaluation] = []
        self._kind = ""
        self._running: Progress | None = None
        self._stopped = self._closed = False
        self.table.param.watch(lambda *_: self._filtered(), ["filters", "lists"])
        self._tell()

    def close(self) -> None:
        """Scan nothing more."""
        self._closed = self._stopped = True

    def show(self, evaluation: Evaluation | None) -> None:
        """Draw a new live ranking; while a scan is shown, only its time is told."""
        self._newest = evaluation
        if not self._scanned:
            self.draw()

    def draw(self) -> None:
        """Draw what is shown."""
        newest = self._newest
        if self._scanned:
            self.table.draw(scanned_state(self._scanned, self._shown(self._kind)))
        elif newest is None or self._weights.turned or newest.stops.size > LIMIT:
            self.table.draw(table_state(newest, self._shown()))
        else:
            self.table.rows = _whole(newest, self._problem)
        self._tell()

    def _shown(self, kind: str = "") -> Shown:
        filters = Filters.of(orjson.loads(self.table.filters))
        return Shown(
            filters=filters, members=orjson.loads(self.table.lists).get(filters.list),
            draft=self._weights.turned, held_up=held_up(self._services.feed_status()),
            problem=self._problem, scan=kind,
        )  # fmt: skip

    @property
    def _problem(self) -> str:
        """What keeps the agent from scoring; empty while all is well."""
        return str(getattr(self._services.agent, "last_error", ""))

    def _filtered(self) -> None:
        """Choose other rows, which matters only when not all of them travelled."""
        if self._newest is not None and self._newest.stops.size > LIMIT:
            self.draw()

    def _tell(self) -> None:
        shown = self._scanned[0] if self._scanned else self._newest
        time = None if shown is None else shown.snapshot.time
        self.bar.draw(scan_state(time, self._frames(), self._running, self._kind))

    # -- scans on request ----------------------------------------------------------------------

    def _frames(self) -> tuple[Timeframe, ...]:
        """Return every timeframe that the market's bars can make."""
        least = length_ms(self._services.base)
        return tuple(t for t in TIMEFRAMES if length_ms(t) >= least)

    def _asked(self, asked: Mapping[str, Any]) -> Any:
        match asked.get("what"):
            case "quick":
                return self._quick()
            case "deep":
                return self._begin()
            case "stop":
                self._stopped = True
                return None
            case "live":
                self._scanned, self._kind = [], ""
                self.draw()
                return None
        raise ValueError("what must be quick, deep, stop or live")

    def _draft(self) -> Weights | None:
        return Weights(**self._weights.draft.as_dict()) if self._weights.turned else None

    async def _quick(self) -> dict[str, Any]:
        services = self._services
        report = await services.scan(
            services.symbols, services.timeframes, self._draft(), quick=True
        )
        self._inside(lambda: self._arrived([], ""))
        return phrase(
            "{passed} of {n} symbols pass, {ms} ms", passed=len(report.evaluation),
            n=len(report.evaluation.snapshot.symbols), ms=round(report.duration_ms, 1),
        )

    def _begin(self) -> Any:
        if self._running is not None:
            raise ValueError("a scan must end before the next one, one is running")
        symbols = tuple(self._services.symbols)
        self._running, self._stopped = Progress("Deep", 0, len(symbols)), False
        self._tell()
        return self._deep(symbols, self._draft())

    async def _deep(self, symbols: Sequence[str], weights: Weights | None) -> dict[str, Any]:
        try:
            async with _TURNS.setdefault(self._services, asyncio.Lock()):
                found, problems = await self._parts(symbols, weights)
        finally:
            self._running = None
            self._inside(self._tell)
        if found:
            self._inside(lambda: self._arrived(found, "Deep"))
        passed = sum(len(one) for one in found)
        n = sum(len(one.snapshot.symbols) for one in found)
        if problems:
            return phrase(
                "{passed} of {n} symbols pass; {problems} streams could not be read",
                passed=passed, n=n, problems=problems,
            )
        return phrase("{passed} of {n} symbols pass", passed=passed, n=n)

    async def _parts(
        self, symbols: Sequence[str], weights: Weights | None
    ) -> tuple[list[Evaluation], int]:
        """Scan part by part, until it is stopped; return them, and how much was not readable."""
        found: list[Evaluation] = []
        problems, step = 0, -(-len(symbols) // PARTS)
        for first in range(0, len(symbols), step):
            if self._stopped:
                break
            report = await self._services.scan(
                symbols[first : first + step], self._frames(), weights
            )
            found.append(report.evaluation)
            problems += len(report.errors)
            self._running = Progress("Deep", min(len(symbols), first + step), len(symbols))
            self._inside(self._tell)
        return found, problems

    def _arrived(self, scanned: list[Evaluation], kind: str) -> None:
        self._scanned, self._kind = scanned, kind
        self.draw()

    def _inside(self, work: Any) -> None:
        """Do something inside the document, unless the page is gone."""
        if not self._closed:
            self._head.doc.add_next_tick_callback(lambda: None if self._closed else work())


def address_of(arguments: Mapping[str, Sequence[bytes]], symbols: Sequence[str]) -> dict[str, Any]:
    """Return what the page's address says of the table: its parameters by name.

    Parameters
    ----------
    arguments : mapping
        Query arguments of the address; what is not understood is left out.
    symbols : sequence of str
        Those that are watched.
    """
    said = {
        name: values[0].decode("utf-8", errors="ignore")
        for name, values in arguments.items() if values
    }  # fmt: skip
    found: dict[str, Any] = {"filters": dumps(Filters.of(said).changed())}
    if said.get("view") in VIEWS:
        found["view"] = said["view"]
    if said.get("sort") in SORTS:
        found["sort"] = said["sort"]
    found["down"] = said.get("down") == "1"
    named = {s.replace("/", "-"): s for s in symbols}
    marked = [named[n] for n in said.get("compare", "").split(",") if n in named]
    found["compared"] = dumps(marked[:MOST_COMPARED])
    return found


def _whole(evaluation: Evaluation, problem: str) -> str:
    """Return a ranking of which all rows travel; the browser alone filters them."""
    kept = _WORDED.setdefault(evaluation, {})
    if problem not in kept:
        kept[problem] = dumps(table_state(evaluation, Shown(problem=problem)))
    return kept[problem]
