"""The guards' part of the Research page: asked about a backtest, then weights are put to use."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from app.auth.pages import act
from app.backtests import Ran
from app.components.backtest_form import job_state
from app.components.guards_panel import GuardsPanel, guards_state
from app.components.language import phrase
from app.jobs import Job
from app.pages.head import Head
from app.presets import check_name
from app.promote import Examined, Order, put_to_use
from opportunity.errors import ConflictError, OpportunityError
from opportunity.feeds.clock import wall_ms

if TYPE_CHECKING:
    from app.services import Services


class ResearchGuards:
    """Asks the guards about the backtest that is shown, and promotes its weights.

    Parameters
    ----------
    services : Services
    head : Head
        Of the page: who acts, and who carries out what takes time.
    """

    def __init__(self, services: "Services", head: Head) -> None:
        self._services, self._head = services, head
        self.panel = GuardsPanel(on_command=self._command)
        self._about: Job | None = None  # the backtest
        self._asked: Job | None = None  # its examination
        self._version: int | None = None
        self._done: dict[str, Any] | None = None

    def close(self) -> None:
        """Let go of the results."""
        self._about = self._asked = None

    def show(self, job: Job) -> None:
        """Be about a backtest that is done; an examination of it that is known is shown."""
        if job is self._about:
            return
        self._about, self._done, self._version = job, None, None
        self._asked = self._known(job.result)
        self._draw()

    def heard(self, jobs: Iterable[Job]) -> None:
        """Hear of jobs that changed."""
        if self._asked is not None and any(job is self._asked for job in jobs):
            self._draw()

    def _known(self, ran: Ran) -> Job | None:
        about = replace(ran.plan, end=int(ran.result.time[-1])).as_dict()
        about |= {"weights": dict(ran.plan.weights)}
        for job in reversed(self._services.backtests.jobs.all()):
            if job.kind == "promote" and job.about == about and job.state != "cancelled":
                return job
        return None

    def _draw(self, error: str = "") -> None:
        state: dict[str, Any] = {"error": error, "done": self._done}
        job = self._asked
        if job is not None:
            backtests = self._services.backtests
            told = job_state(job, backtests.jobs.place(job), backtests.clock())
            state |= {"job": told["state"], "progress": told["progress"]}
            state["error"] = error or told["error"]
            if job.state == "done":
                state |= guards_state(job.result)
                if self._version is None:
                    self._version = self._services.controls.weights_version
        self.panel.draw(state)

    # -- what the user asks for ----------------------------------------------------------------

    def _command(self, asked: Mapping[str, Any]) -> None:
        try:
            if asked.get("type") == "ask":
                self._ask()
            elif asked.get("type") == "cancel":
                self._cancel()
            elif asked.get("type") == "promote":
                self._head.later.carry_out(partial(self._promote, dict(asked)), self._promoted)
        except (OpportunityError, ValueError, TypeError, KeyError) as error:
            self._draw(str(error))

    def _ask(self) -> None:
        act(self._services, self._head.who)
        if self._about is None:
            raise ValueError("a backtest must be shown before the guards are asked")
        ran = self._about.result
        self._done, self._version = None, None
        self._asked = self._services.backtests.submit_examination(ran, ran.plan.weights)
        self._draw()

    def _cancel(self) -> None:
        act(self._services, self._head.who)
        if self._asked is not None:
            self._services.backtests.jobs.cancel(self._asked)
            self._draw()

    async def _promote(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        services = self._services
        by = act(services, self._head.who)
        job = self._asked
        if job is None or not isinstance(job.result, Examined):
            raise ValueError("the guards must have answered before weights are put to use")
        why, preset = str(asked.get("why", ""))[:500], str(asked.get("preset", "")) or None
        if preset is not None:
            check_name(preset)
        order = Order(
            by=by, why=why, force=bool(asked.get("force")), preset=preset, expected=self._version
        )
        promotions = services.backtests.promotions
        done, version = await put_to_use(
            job.result, promotions, wall_ms(), services.controls, order
        )
        if version is None:
            return phrase("Saved as the preset {name}.", name=done.target)
        self._version = version
        if done.forced:
            return phrase("Forced: the agent decides by them now, version {n}.", n=version)
        return phrase("Promoted: the agent decides by them now, version {n}.", n=version)

    def _promoted(self, done: Any, failure: Exception | None) -> None:
        if self._about is None:
            return
        if failure is None:
            self._done = done
        if isinstance(failure, ConflictError):
            # Whoever reads that others have changed the weights may decide again, knowing it.
            self._version = self._services.controls.weights_version
        self._draw("" if failure is None else str(failure))
