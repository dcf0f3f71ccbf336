"""What one open Research page sees and does: its form, its jobs, the result it shows."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import structlog
from bokeh.document import Document, without_document_lock

from app.auth.pages import act
from app.components.backtest_form import INSIDE, BacktestForm, job_state
from app.components.backtest_result import ResultSummary, ResultTrades
from app.components.calibration_result import CalibrationResult, calibration_state
from app.components.island import dumps
from app.components.research_part import StudyResult
from app.components.research_runs import ResearchRuns, runs_state
from app.components.sweep_result import SweepResult, sweep_state
from app.components.sweep_surface import SweepSurface, surface_state
from app.components.theme import ThemeName
from app.components.walk_forward_result import WalkForwardResult, walk_forward_state
from app.jobs import Job
from app.pages.head import Head
from app.pages.pace import Events, News, Pace
from app.pages.research_asked import submit, submit_test
from app.pages.research_guards import ResearchGuards
from app.pages.research_picture import ResearchPicture, Words
from opportunity.backtest.span import DEFAULT_TIMEFRAMES
from opportunity.errors import OpportunityError

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

GONE: Final = "That result is not kept any more: only the newest ones are. Run it again."

WORDS: Final[dict[str, Callable[[str, Any], dict[str, Any]]]] = {
    "sweep": sweep_state, "walk_forward": walk_forward_state, "calibration": calibration_state,
    "surface": surface_state,
}  # fmt: skip
"""How a result of each kind is put into words, on another thread."""


class ResearchSession:
    """View-model of one browser page: the components, one hub subscription, one result.

    Parameters
    ----------
    services : Services
        The server's side.
    doc : Document
        The page's document.
    job : str
        Id of the result to show first; empty for none.
    theme : str
        Theme of the first picture.
    """

    def __init__(self, services: "Services", doc: Document, job: str, theme: ThemeName) -> None:
        self.services, self.doc = services, doc
        self.head = Head(services, doc, theme)
        self._wanted = job
        self._job: Job | None = None  # whose progress the form tells
        self._shown: Job | None = None  # whose result the page shows
        self._early = not services.symbols  # made before the exchange said what it trades
        self.form = BacktestForm(on_run=self._run, on_cancel=self._cancel)
        self.summary, self.trades = ResultSummary(), ResultTrades(on_select=self._look_at)
        self.runs = ResearchRuns(on_open=self._open)
        self.studies: dict[str, StudyResult] = {
            "sweep": SweepResult(on_test=self._test),
            "walk_forward": WalkForwardResult(on_test=self._test),
            "calibration": CalibrationResult(), "surface": SweepSurface(),
        }  # fmt: skip
        self.guards = ResearchGuards(services, self.head)
        self.picture = ResearchPicture(doc, lambda: self.head.theme.theme, self._worded)
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self.head.theme.param.watch(lambda *_: self.picture.wear(), "theme")
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), "form": self.form, "runs": self.runs, "summary": self.summary,
            "picture": self.picture.charts, "guards": self.guards.panel, "trades": self.trades,
            **self.studies,
        }  # fmt: skip

    def open(self) -> None:
        """Offer what can be tested; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self._offer()
        self.head.draw_trust()
        self._draw_runs()
        if self._wanted:
            self._open(self._wanted)

    def close(self) -> None:
        """Leave the hub and forget the result; the job goes on for whoever asks for it."""
        self.pace.close()
        self.picture.close()
        self.guards.close()
        self._job = self._shown = None

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        offers = any(topic == "config" and told["what"] == "preset" for topic, told in events)
        if "scan" in news:
            self.head.draw_trust()
            if self._early and self.services.symbols:
                self._early, offers = False, True
        if offers:
            self._offer()
        jobs = news.get("backtest", {}).values()
        if any(job is self._job for job in jobs):
            self._draw_job()
        self.guards.heard(jobs)
        if jobs:
            self._draw_runs()

    def _offer(self) -> None:
        services = self.services
        self.form.offer(
            services.symbols, DEFAULT_TIMEFRAMES, [p.name for p in services.controls.presets()],
            int(services.feed.clock.now()),
        )  # fmt: skip

    def _draw_job(self) -> None:
        job = self._job
        if job is None:
            return
        backtests = self.services.backtests
        self.form.draw(job_state(job, backtests.jobs.place(job), backtests.clock()))
        if job.state == "done" and job.result is not None:
            self._show_result(job)

    def _draw_runs(self) -> None:
        shown = "" if self._shown is None else self._shown.id
        self.runs.state = dumps(runs_state(self.services.backtests.jobs.all(), shown))

    # -- results -------------------------------------------------------------------------------

    def _show_result(self, job: Job) -> None:
        """Show what came of a job that is done."""
        if job is self._shown:
            return
        self._shown = job
        self.summary.shown = dumps({
            "id": job.id, "kind": job.kind, "title": ", ".join(job.about.get("symbols", ())),
        })  # fmt: skip
        self._draw_runs()
        if job.kind == "backtest":
            self.picture.show(job)
            self.guards.show(job)
            return
        word: Any = partial(self._word, job)
        self.doc.add_next_tick_callback(without_document_lock(word))

    async def _word(self, job: Job) -> None:
        """Put a result into words on another thread; outside of the document's lock."""
        found, words = job.result, WORDS[job.kind]
        if job is not self._shown or found is None:
            return
        state = ""
        try:
            state = await asyncio.to_thread(lambda: dumps(words(job.id, found)))
        except Exception:  # a boundary: the page goes on, and the next result is shown
            logger.exception("result not worded", kind=job.kind)
        if not self.pace.closed:
            self.doc.add_next_tick_callback(lambda: self._studied(job, state))

    def _studied(self, job: Job, state: str) -> None:
        if job is not self._shown:
            return
        if state:
            self.studies[job.kind].state = state
        else:
            self.form.refuse(INSIDE)

    def _worded(self, told: Words) -> None:
        """Show a backtest in words; inside the document."""
        self.summary.state = told.summary
        self.trades.rows = told.trades

    # -- what the user asks for ----------------------------------------------------------------

    def _run(self, asked: Mapping[str, Any]) -> None:
        act(self.services, self.head.who)
        self._follow(submit(self.services, asked))

    def _test(self, row: int) -> None:
        """Test one vector that the shown search found."""
        try:
            act(self.services, self.head.who)
            if self._shown is not None:
                self._follow(submit_test(self.services, self._shown.result, row))
        except (OpportunityError, ValueError) as error:
            self.form.refuse(str(error))

    def _follow(self, job: Job) -> None:
        self._job = job
        self._draw_job()
        self._draw_runs()

    def _open(self, id: str) -> None:
        """Show a job that is known, with what it was asked."""
        try:
            job = self.services.backtests.jobs.find(id)
        except KeyError:
            self.form.refuse(GONE)
            return
        if job.kind == "promote":  # its answer stands beside its backtest
            return
        self.form.fill(job.kind, job.about)
        self._follow(job)

    def _cancel(self) -> None:
        if self._job is not None:
            act(self.services, self.head.who)
            self.services.backtests.jobs.cancel(self._job)
            self._draw_job()

    def _look_at(self, number: int) -> None:
        self.picture.look_at(number)
