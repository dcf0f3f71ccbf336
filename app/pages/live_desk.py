"""The tools of one open Live page: watchlists, price alerts, the universe, timeframe weights."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from bokeh.document import without_document_lock

from app.auth.pages import act
from app.components.frame_weights import FrameWeights, frames_state
from app.components.island import dumps
from app.components.price_alerts import (
    MOST_NOTE,
    RULES,
    PriceAlerts,
    alerts_state,
    read_price,
)
from app.components.signal_table import SignalTable
from app.components.universe_picker import UniversePicker, outcome_state, universe_state
from app.components.watchlists import Watchlists, watchlists_state
from app.pages.head import Head
from app.pages.pace import Events
from app.universe import Choice
from opportunity.contracts.watchlists import MOST_SYMBOLS, MOST_WATCHED
from opportunity.errors import unknown
from opportunity.market.symbols import parse_symbol
from opportunity.storage.failures import DatabaseError

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

MOST_NAME: Final = 64


class LiveDesk:
    """Shows what the server keeps, and carries out what is pressed.

    Parameters
    ----------
    services : Services
        The server's side.
    head : Head
        Of the page: who looks, and where answers that take time are awaited.
    table : SignalTable
        Told the watchlists it can filter by.
    prices : callable
        Returns the newest price by symbol.
    """

    def __init__(
        self, services: "Services", head: Head, table: SignalTable,
        prices: Callable[[], Mapping[str, float]],
    ) -> None:  # fmt: skip
        self._services, self._head, self._table, self._prices = services, head, table, prices
        self._closed = False
        later = head.later
        self.lists = Watchlists(on_ask=self._lists_asked, later=later)
        self.alerts = PriceAlerts(on_ask=self._alerts_asked, later=later)
        self.universe = UniversePicker(on_ask=self._universe_asked, later=later)
        self.frames = FrameWeights(on_ask=self._frames_asked, later=later)

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            "lists": self.lists, "alerts": self.alerts, "universe": self.universe,
            "frames": self.frames,
        }  # fmt: skip

    def open(self) -> None:
        """Show what the server keeps; called once the browser shows the page."""
        self._draw_alerts()
        self._draw_frames()
        self._background(self._read_lists)
        self._background(self._read_universe)

    def close(self) -> None:
        """Show nothing more."""
        self._closed = True

    def heard(self, events: Events) -> None:
        """Follow what happened: an alert that was touched, timeframe weights that were changed."""
        for topic, payload in events:
            if topic == "config" and payload["what"] == "rules":
                self._draw_frames()
            elif topic == "event" and payload.kind == "price_alert":
                self._draw_alerts()

    # -- watchlists ----------------------------------------------------------------------------

    def _lists_asked(self, asked: Mapping[str, Any]) -> Any:
        if asked.get("what") == "read":
            return self._read_lists()
        act(self._services, self._head.who)
        name = str(asked.get("name", "")).strip()
        if not 0 < len(name) <= MOST_NAME:
            raise ValueError(f"name must have 1 to {MOST_NAME} characters, was {name!r}")
        match asked.get("what"):
            case "change":
                add, remove = (_symbols(asked.get(w), MOST_SYMBOLS) for w in ("add", "remove"))
                return self._change_list(name, add, remove)
            case "delete":
                return self._delete_list(name)
        raise ValueError("what must be read, change or delete")

    async def _change_list(
        self, name: str, add: Sequence[str], remove: Sequence[str]
    ) -> None:
        await asyncio.to_thread(self._services.watchlists.change, name, add, remove)
        await self._read_lists()

    async def _delete_list(self, name: str) -> None:
        await asyncio.to_thread(self._services.watchlists.delete, name)
        await self._read_lists()

    async def _read_lists(self) -> None:
        found = await asyncio.to_thread(self._services.watchlists.read)

        def show() -> None:
            self._table.lists = dumps({one.name: list(one.symbols) for one in found})
            self.lists.draw(watchlists_state(found, self._services.symbols))

        self._inside(show)

    # -- price alerts --------------------------------------------------------------------------

    def _alerts_asked(self, asked: Mapping[str, Any]) -> Any:
        match asked.get("what"):
            case "read":
                self._draw_alerts()
                return None
            case "add":
                act(self._services, self._head.who)
                return self._add_alert(asked)
            case "delete":
                act(self._services, self._head.who)
                return self._delete_alert(int(asked["id"]))
        raise ValueError("what must be read, add or delete")

    async def _add_alert(self, asked: Mapping[str, Any]) -> None:
        symbol, services = parse_symbol(str(asked.get("symbol", ""))), self._services
        if symbol not in services.symbols:
            raise ValueError(unknown("symbol", symbol, services.symbols))
        rule = RULES.get(str(asked.get("rule")))
        if rule is None:
            raise ValueError(unknown("rule", asked.get("rule"), RULES))
        price, note = read_price(asked.get("price")), str(asked.get("note", ""))[:MOST_NOTE]
        await services.alerts.prices.add(symbol, rule, price, note, bool(asked.get("again")))
        self._inside(self._draw_alerts)

    async def _delete_alert(self, number: int) -> None:
        there = await self._services.alerts.prices.remove(number)
        self._inside(self._draw_alerts)
        if not there:
            raise ValueError(f"price alert must be there to be deleted, {number} was not")

    def _draw_alerts(self) -> None:
        services = self._services
        self.alerts.draw(
            alerts_state(services.alerts.prices.all(), services.symbols, self._prices())
        )

    # -- the universe --------------------------------------------------------------------------

    def _universe_asked(self, asked: Mapping[str, Any]) -> Any:
        what = asked.get("what")
        if what == "read":
            return self._read_universe()
        if what == "look":
            return self._look(_choice(asked))
        if what != "choose":
            raise ValueError("what must be read, look or choose")
        return self._look(_choice(asked), act(self._services, self._head.who))

    async def _look(self, choice: Choice, by: str = "") -> dict[str, Any]:
        services = self._services
        universe = services.universe
        found = await (universe.choose(choice, by) if by else universe.look(choice))
        if by:
            await self._read_universe()
        return outcome_state(found.symbols, found.held, services.symbols, found.note)

    async def _read_universe(self) -> None:
        universe = self._services.universe
        stored = await universe.chosen()

        def show() -> None:
            self.universe.draw(universe_state(
                self._services.symbols, None if stored is None else stored.as_dict(),
                universe.in_force(stored).as_dict(), universe.overruled,
            ))

        self._inside(show)

    # -- weights across timeframes -------------------------------------------------------------

    def _frames_asked(self, asked: Mapping[str, Any]) -> Any:
        if asked.get("what") != "apply":
            raise ValueError("what must be apply")
        by = act(self._services, self._head.who)
        weights = {str(t): float(w) for t, w in dict(asked["weights"]).items()}
        return self._services.controls.set_rules({"timeframe_weights": weights}, by)

    def _draw_frames(self) -> None:
        services = self._services
        self.frames.draw(frames_state(services.timeframes, services.rules.timeframe_weights))

    # ------------------------------------------------------------------------------------------

    def _background(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Read something outside of the document's lock; what cannot be read is logged."""

        async def read() -> None:
            try:
                await work()
            except DatabaseError as error:
                logger.warning("not read for the page", error=str(error))

        wait: Any = read
        self._head.doc.add_next_tick_callback(without_document_lock(wait))

    def _inside(self, work: Callable[[], None]) -> None:
        """Do something inside the document, unless the page is gone."""
        if not self._closed:
            self._head.doc.add_next_tick_callback(lambda: None if self._closed else work())


def _symbols(given: Any, most: int) -> list[str]:
    names = list(dict.fromkeys(parse_symbol(str(s)) for s in given or ()))
    if len(names) > most:
        raise ValueError(f"symbols must be at most {most}, was {len(names)}")
    return names


def _choice(asked: Mapping[str, Any]) -> Choice:
    quote, top = str(asked.get("quote") or "").strip().upper(), asked.get("top")
    if quote and not (quote.isascii() and quote.isalnum() and len(quote) <= 20):
        raise ValueError(f"quote must be letters and digits, was {quote!r}")
    if top is not None and not 1 <= int(top) <= MOST_WATCHED:
        raise ValueError(f"top must be in 1..{MOST_WATCHED}, was {top}")
    names = tuple(_symbols(asked.get("symbols"), MOST_WATCHED))
    return Choice(quote, None if top is None else int(top), names)
