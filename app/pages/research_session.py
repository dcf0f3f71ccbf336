"""What one open Research page sees and does: its form, its job, the result it shows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pydantic
from bokeh.document import Document

from app.auth.pages import act
from app.backtest_plan import plan_of
from app.components.backtest_form import BacktestForm, job_state
from app.components.backtest_result import ResultSummary, ResultTrades
from app.components.theme import ThemeName
from app.jobs import Job
from app.pages.head import Head
from app.pages.pace import Events, News, Pace
from app.pages.research_picture import ResearchPicture, Words
from opportunity.backtest.span import DEFAULT_TIMEFRAMES
from opportunity.contracts.backtest import BacktestRequest
from opportunity.errors import unknown
from opportunity.market.symbols import parse_symbol

if TYPE_CHECKING:
    from app.services import Services

GONE: Final = "That result is not kept any more: only the newest ones are. Run it again."


class ResearchSession:
    """View-model of one browser page: the components, one hub subscription, one job.

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
        self._job: Job | None = None
        self._early = not services.symbols  # made before the exchange said what it trades
        self.form = BacktestForm(on_run=self._run, on_cancel=self._cancel)
        self.summary, self.trades = ResultSummary(), ResultTrades(on_select=self._look_at)
        self.picture = ResearchPicture(doc, lambda: self.head.theme.theme, self._worded)
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self.head.theme.param.watch(lambda *_: self.picture.wear(), "theme")
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), "form": self.form, "summary": self.summary,
            "picture": self.picture.charts, "trades": self.trades,
        }  # fmt: skip

    def open(self) -> None:
        """Offer what can be tested; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self._offer()
        self.head.draw_trust()
        if self._wanted:
            try:
                self._follow(self.services.backtests.jobs.find(self._wanted))
            except KeyError:
                self.form.refuse(GONE)

    def close(self) -> None:
        """Leave the hub and forget the result; the job goes on for whoever asks for it."""
        self.pace.close()
        self.picture.close()
        self._job = None

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        if "scan" in news:
            self.head.draw_trust()
            if self._early and self.services.symbols:
                self._early = False
                self._offer()
        if any(job is self._job for job in news.get("backtest", {}).values()):
            self._draw_job()

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
        if job.state == "done":
            self.picture.show(job)

    # -- what the user asks for ----------------------------------------------------------------

    def _run(self, asked: Mapping[str, Any], preset: str) -> None:
        """Queue what the form asks for.

        Raises
        ------
        OpportunityError, ValueError
            If it cannot be run; the text says why.
        """
        act(self.services, self.head.who)
        try:
            request = BacktestRequest.model_validate(dict(asked))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from error
        for name in request.names:
            if parse_symbol(name) not in self.services.symbols:
                raise ValueError(f"symbol must be one that is watched here, was {name}")
        plan = plan_of(request, self._weights(preset))
        self._follow(self.services.backtests.submit(plan))

    def _weights(self, preset: str) -> dict[str, float]:
        if not preset:
            return self.services.weights.as_dict()
        saved = {p.name: dict(p.weights) for p in self.services.controls.presets()}
        if preset not in saved:
            raise ValueError(unknown("preset", preset, saved))
        return saved[preset]

    def _follow(self, job: Job) -> None:
        self._job = job
        self._draw_job()

    def _cancel(self) -> None:
        if self._job is not None:
            act(self.services, self.head.who)
            self.services.backtests.jobs.cancel(self._job)
            self._draw_job()

    def _look_at(self, number: int) -> None:
        self.picture.look_at(number)

    def _worded(self, told: Words) -> None:
        """Show a result in words; inside the document."""
        self.summary.state = told.summary
        self.trades.rows = told.trades
