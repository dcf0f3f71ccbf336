"""What-if of one open page: asks for the newest draft only, one question at a time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bokeh.document import Document, without_document_lock

from app.components.what_if import missing_state, waiting_state, what_if_state
from opportunity.errors import OpportunityError
from opportunity.market.bars import FloatArray

if TYPE_CHECKING:
    from app.services import Services
    from app.what_if import Compared

AGAIN_S: Final = 120.0
"""The weights in force are run again that often, over history that went on."""

FIRST_MS: Final = 2_500
"""Delay of the first question: the page itself comes first."""

Pair = tuple[FloatArray, FloatArray | None]
"""Weights in force, and those of a draft that differs."""


class LiveWhatIf:
    """Asks what a draft would have earned, while it moves.

    Parameters
    ----------
    services : Services
        The server's side.
    doc : Document
        The page's document.
    weights : callable
        Returns what to compare now.
    draw : callable
        Called inside the document with the state to show.
    """

    def __init__(
        self, services: "Services", doc: Document, weights: Callable[[], Pair],
        draw: Callable[[dict[str, Any]], None],
    ) -> None:
        self._services, self._doc, self._weights, self._draw = services, doc, weights, draw
        self._asking = self._again = self._counts = self._closed = False
        self._timer: Any = None
        self._asked_at = float("-inf")
        self.wanted = True

    def open(self) -> None:
        """Ask soon."""
        if not self._closed:
            self._draw(waiting_state())
            self._timer = self._doc.add_timeout_callback(self._first, FIRST_MS)

    def close(self) -> None:
        """Ask nothing more."""
        self._closed = True

    def want(self, wanted: bool) -> None:
        """Tell whether anybody looks; who begins to is answered."""
        self.wanted = wanted
        if wanted and self._timer is None:
            self.ask()

    def ask(self, counts: bool = False) -> None:
        """Ask for what is to be compared now; `counts` where the draft is one that is tried."""
        self._counts |= counts
        if self._closed or not self.wanted:
            return
        if self._asking:
            self._again = True
            return
        self._asking, self._asked_at = True, self._services.uptime_s
        fetch: Any = self._fetch
        self._doc.add_next_tick_callback(without_document_lock(fetch))

    def tick(self) -> None:
        """Ask again where the answer is of some minutes ago; called as the market goes on."""
        if self._timer is None and self._services.uptime_s - self._asked_at > AGAIN_S:
            self.ask()

    def _first(self) -> None:
        self._timer = None
        self.ask()

    async def _fetch(self) -> None:
        now, draft = self._weights()
        counts, self._counts, self._again = self._counts and draft is not None, False, False
        found: Compared | None = None
        problem = ""
        try:
            found = await self._services.what_ifs.compare(now, draft, counts)
        except (OpportunityError, ValueError, OSError) as error:
            problem = str(error)
        if not self._closed:
            self._doc.add_next_tick_callback(lambda: self._arrived(found, problem))

    def _arrived(self, found: "Compared | None", problem: str) -> None:
        self._asking = False
        if self._closed:
            return
        if found is None:
            self._draw(missing_state(problem))
        else:
            self._draw(what_if_state(
                found.sleeves, found.now, found.draft, found.chance, found.tried
            ))
        if self._again:
            self.ask()
