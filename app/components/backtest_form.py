"""The form of what is asked of a market's history, and how its job goes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, get_args

import param

from app.components.island import Island, dumps, module, style
from app.components.metric_words import label
from app.jobs import Job
from opportunity.contracts.sweep import Objective
from opportunity.errors import OpportunityError
from opportunity.market.timeframe import TIMEFRAMES, length_ms

DAY_MS: Final = 86_400_000
SPAN_DAYS: Final = 120
"""Of the span that is offered first."""

INSIDE: Final = "The run failed. The server's log has the reason."


class BacktestForm(Island):
    """Asks what to test, starts and stops it, and tells how it goes.

    Parameters
    ----------
    on_run : callable
        `on_run(asked)`: ``kind``, ``market`` (fields of `MarketRequest`), ``preset`` (name of the
        weights, empty for the active ones), and what belongs to the kind. What it raises is shown.
    on_cancel : callable
        Called when the user stops the job.
    """

    offered = param.String("{}", doc="What can be chosen, JSON.")
    filled = param.String("{}", doc="What a run asked that is looked at again, JSON.")
    state = param.String("{}", doc="How the job goes, JSON.")

    _fill = "stretch_width"
    _esm = module("backtest_form")
    _stylesheets: ClassVar[list[str]] = [style("backtest_form")]

    def __init__(
        self, on_run: Callable[[Mapping[str, Any]], None] | None = None,
        on_cancel: Callable[[], None] | None = None, **params: Any,
    ) -> None:
        super().__init__(**params)
        self._on_run, self._on_cancel = on_run, on_cancel
        self._answers = 0

    def offer(
        self, symbols: Sequence[str], timeframes: Sequence[str], presets: Sequence[str], now: int
    ) -> None:
        """Say what can be chosen; `now` is the market's time, ms UTC."""
        self.offered = dumps({
            "symbols": list(symbols), "presets": list(presets),
            "frames": [[name, length_ms(name)] for name in TIMEFRAMES],
            "scored": list(timeframes),
            "start": _day(now - SPAN_DAYS * DAY_MS), "end": _day(now),
            "objectives": [[name, label(name)] for name in get_args(Objective)],
        })

    def fill(self, kind: str, about: Mapping[str, Any]) -> None:
        """Put what a job was asked into the fields, see `Job.about`."""
        self.filled = dumps({
            **about, "kind": kind, "start": _day(about["start"]), "end": _day(about["end"]),
        })

    def draw(self, state: Mapping[str, Any]) -> None:
        """Tell how the job goes; see `job_state`."""
        self._answers += 1  # the same words twice are still an answer: the browser waits for one
        self.state = dumps({**state, "n": self._answers})

    def refuse(self, text: str) -> None:
        """Say why nothing runs."""
        self.draw({"state": "refused", "error": text})

    def _handle_msg(self, data: Any) -> None:
        try:
            if data.get("type") == "run" and self._on_run is not None:
                self._on_run(dict(data["asked"]))
            elif data.get("type") == "cancel" and self._on_cancel is not None:
                self._on_cancel()
        except (OpportunityError, ValueError, TypeError, KeyError) as error:
            self.refuse(str(error))


def job_state(job: Job, place: int, now: float) -> dict[str, Any]:
    """Return how a job goes, for the form.

    Parameters
    ----------
    job : Job
    place : int
        Jobs before it.
    now : float
        Monotonic seconds, of the clock of the jobs.
    """
    return {
        "id": job.id, "kind": job.kind, "state": job.state, "progress": job.progress,
        "doing": job.doing, "place": place,
        "left_s": job.left_s(now) if job.started_at is not None else None,
        "took_s": job.ended - job.began if job.state == "done" and job.ended else None,
        "error": _why(job.error),
    }  # fmt: skip


def _why(error: BaseException | None) -> str:
    """Word a failure; what was not foreseen says nothing about the inside."""
    if error is None:
        return ""
    return str(error) if isinstance(error, OpportunityError | ValueError) else INSIDE


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1e3, UTC).strftime("%Y-%m-%d")
