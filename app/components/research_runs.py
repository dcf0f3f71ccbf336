"""The newest runs of the server, each a press away."""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import numpy as np
import param

from app.backtests import Ran, Swept
from app.components.island import Island, module, style
from app.components.language import phrase
from app.components.metric_words import written
from app.jobs import Job
from app.research_jobs import Stressed, Walked
from opportunity.market.timeframe import utc_text

SHOWN: Final = 14


class ResearchRuns(Island):
    """A list of runs; pressing one shows what came of it.

    Parameters
    ----------
    on_open : callable
        Called with the id of a job.
    """

    state = param.String("{}", doc="Runs, newest first, JSON; see `runs_state`.")

    _fill = "stretch_width"
    _esm = module("research_runs")
    _stylesheets: ClassVar[list[str]] = [style("research_runs")]

    def __init__(self, on_open: Callable[[str], None] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._on_open = on_open

    def _handle_msg(self, data: Any) -> None:
        if self._on_open is not None and "open" in data:
            self._on_open(str(data["open"]))


def runs_state(jobs: Sequence[Job], shown: str) -> dict[str, Any]:
    """Return the newest runs; `shown` is the id of the one that is looked at."""
    some = [job for job in jobs if job.kind != "promote" and job.about.get("symbols")]
    return {"shown": shown, "runs": [_run(job) for job in some[::-1][:SHOWN]]}


def _run(job: Job) -> dict[str, Any]:
    said, tone = _said(job.result) if job.state == "done" else ("", 0)
    about = job.about
    names = about["symbols"]
    title = ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")
    span = " to ".join(utc_text(about[k])[:10] for k in ("start", "end"))
    return {
        "id": job.id, "kind": job.kind, "state": job.state, "title": f"{title} · {span}",
        "progress": round(job.progress, 2), "said": said, "tone": tone,
    }  # fmt: skip


def _said(found: Any) -> tuple[Any, int]:
    """Return the one number of a result, and its side."""
    if isinstance(found, Ran):
        value = found.result.metrics.total_return
        return written("total_return", value), _sign(value)
    if isinstance(found, Walked):
        value = float(found.result.equity[-1]) / found.result.cash - 1.0
        return written("total_return", value), _sign(value)
    if isinstance(found, Swept):
        return phrase("best {value}", value=written("sharpe", found.result.value)), 0
    if isinstance(found, Stressed):
        return phrase("even at {times}", times=_even(float(found.result.break_even[0]))), 0
    return phrase("done"), 0


def _even(times: float) -> str:
    """Write the multiple of the costs at which nothing is earned; without costs there is none."""
    if math.isnan(times):
        return "\N{EN DASH}"
    return "\N{MULTIPLICATION SIGN}" + ("\N{INFINITY}" if math.isinf(times) else f"{times:.1f}")


def _sign(value: float) -> int:
    return int(np.sign(value)) if math.isfinite(value) else 0
