"""The result's part of the Research page: worded and drawn on another thread.

HoloViews takes half a second for a picture, so several pages wait for each other, never the loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from bokeh.document import Document, without_document_lock

from app.components.backtest_result import summary_state, trades_state
from app.components.island import dumps
from app.components.linked_charts import DRAWING, EMPTY, LinkedCharts, packed
from app.components.theme import ThemeName
from app.jobs import Job

if TYPE_CHECKING:
    from opportunity.backtest.result import BacktestResult

logger = structlog.get_logger(__name__)

MARGIN: Final = 0.6
"""Room beside a trade that is looked at, as a part of its length, and at least 20 bars."""

LEAST_BARS: Final = 20


@dataclass(frozen=True, slots=True)
class Words:
    """A result in words: states of the components, JSON."""

    summary: str
    trades: str


class ResearchPicture:
    """Draws the newest result without holding up the page.

    Parameters
    ----------
    doc : Document
        The page's document.
    theme : callable
        The theme as it is now.
    on_words : callable
        Called inside the document with the words of a new result.
    """

    def __init__(
        self, doc: Document, theme: Callable[[], ThemeName], on_words: Callable[[Words], None]
    ) -> None:
        self._doc, self._theme, self._on_words = doc, theme, on_words
        self.charts = LinkedCharts()
        self._job: Job | None = None
        self._drawn: tuple[Job, ThemeName] | None = None
        self._drawing, self._closed = False, False
        self._looks = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def close(self) -> None:
        """Draw nothing more and let go of the result."""
        self._closed = True
        self._job = self._drawn = None
        self._waiting.clear()

    def show(self, job: Job) -> None:
        """Draw the result of a job that is done."""
        self._job = job
        self._begin()

    def wear(self) -> None:
        """Take the colours of the theme."""
        self._begin()

    def look_at(self, number: int) -> None:
        """Move the view to a trade; a number that is not known is passed over."""
        result = self._result()
        if result is None:
            return
        trades = result.trades[result.trades["number"] == number]
        if not trades.size:
            return
        opened, closed = int(trades["opened"][0]), int(trades["closed"][0])
        step = int(result.time[1] - result.time[0]) if len(result.time) > 1 else 3_600_000
        room = max(round(MARGIN * (closed - opened)), LEAST_BARS * step)
        self._looks += 1
        self.charts.view = dumps({"n": self._looks, "start": opened - room, "end": closed + room})

    def _result(self) -> "BacktestResult | None":
        ran = None if self._job is None else self._job.result
        return None if ran is None else ran.result

    def _begin(self) -> None:
        if self._drawing or self._closed or self._job is None:
            return
        if self._drawn == (self._job, self._theme()):
            return
        self._drawing = True
        draw: Any = self._draw
        self._doc.add_next_tick_callback(without_document_lock(draw))

    async def _draw(self) -> None:
        job, theme = self._job, self._theme()
        item = ""
        try:
            if job is not None and job.result is not None:
                if self._is_new(job):
                    told = await asyncio.to_thread(words_of, job)
                    self._later(lambda: self._tell(job, told))
                item = await asyncio.to_thread(figures_of, job, theme)
        except Exception:  # a boundary: the page goes on, and the next result is drawn
            logger.exception("result not drawn")
        self._later(lambda: self._arrived(job, theme, item))

    def _later(self, do: Callable[[], None]) -> None:
        """Do something inside the document; a document may swap what waits, so it is queued."""
        if not self._closed:
            self._waiting.append(do)
            self._doc.add_next_tick_callback(lambda: self._catch_up())

    def _catch_up(self) -> None:
        while self._waiting:
            self._waiting.popleft()()

    def _tell(self, job: Job, told: Words) -> None:
        """Show the words at once: the figures take longer."""
        if self._closed or job is not self._job:
            return
        if self._is_new(job):
            self.charts.note = DRAWING
        self._on_words(told)

    def _is_new(self, job: Job) -> bool:
        return self._drawn is None or self._drawn[0] is not job

    def _arrived(self, job: Job | None, theme: ThemeName, item: str) -> None:
        self._drawing = False
        if self._closed:
            return
        if job is not None:
            self._drawn = job, theme
        if job is self._job:
            self.charts.param.update(item=item, note="" if item else EMPTY)
        self._begin()  # another job or theme may have come meanwhile


def words_of(job: Job) -> Words:
    """Word a result; on any thread."""
    ran = job.result
    return Words(dumps(summary_state(job.id, ran)), dumps(trades_state(ran.result)))


def figures_of(job: Job, theme: ThemeName) -> str:
    """Draw a result as linked figures; on any thread."""
    from opportunity import plots

    picture = plots.backtest(job.result.result, theme=theme, width=None)
    return packed(plots.rendered(picture), job.id)
