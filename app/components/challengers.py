"""Champion against challengers: who earns more, and whether anybody can tell yet."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import param

from app.comparisons import ShadowState, ShadowStory
from app.components.island import Island, dumps, module, style
from app.components.journal_words import number
from app.components.language import phrase
from app.components.later import Later
from opportunity.scoring.comparison import Comparison
from opportunity.storage.shadows import MOST_SHADOWS, Standing


class Challengers(Island):
    """Challengers, the one that is chosen with its curves; new ones begin here and end here.

    Parameters
    ----------
    on_command : callable
        Called with ``{"type": "add", "name", "preset", "note"}`` or ``{"type": "stop", "name"}``,
        perhaps to be awaited; what it raises is shown.
    later : Later, optional
        Of the page, where it is to be awaited.
    """

    state = param.String("{}", doc="All of them, JSON; see `challengers_state`.")
    story = param.String("{}", doc="The one that is chosen, JSON; see `story_state`.")
    chosen = param.String("", doc="Name that the reader chose; empty for the first.")
    shown = param.String("", doc="Name of the one whose story is told.")
    problem = param.String("", doc="Why nothing could be read; empty while all is well.")
    presets = param.String("[]", doc="Names of weights that can challenge, JSON.")
    answer = param.String("{}", doc="Outcome of the last press, JSON: n, text, error.")

    _fill = "stretch_width"
    _esm = module("challengers")
    _stylesheets: ClassVar[list[str]] = [style("challengers")]

    def __init__(
        self, on_command: Callable[[Mapping[str, Any]], Any] | None = None,
        later: Later | None = None, **params: Any,
    ) -> None:  # fmt: skip
        super().__init__(**params)
        self._on_command, self._later = on_command, later or Later()
        self._presses = 0

    def _handle_msg(self, data: Any) -> None:
        do = self._on_command
        if do is not None and isinstance(data, Mapping):
            self._later.carry_out(lambda: do(data), self._answered)

    def _answered(self, found: Any, failure: Exception | None) -> None:
        self._presses += 1
        text = found if failure is None else None
        said = failure.args[0] if isinstance(failure, KeyError) and failure.args else failure
        error = "" if failure is None else str(said)
        self.answer = dumps({"n": self._presses, "text": text, "error": error})


def challengers_state(
    states: Sequence[ShadowState], champion: Standing | None, source: str
) -> dict[str, Any]:
    """Return what is shown of all challengers.

    Parameters
    ----------
    states : sequence of ShadowState
        Those that run, then those that have ended.
    champion : Standing or None
        None before it trades.
    source : str
        Stamp of the market.
    """
    return {
        "stamp": source,
        "most": MOST_SHADOWS,
        "champion": None if champion is None else {
            "equity": champion.equity, "trades": champion.n_trades, "drawdown": champion.drawdown,
        },
        "rows": [_row(state) for state in states],
    }  # fmt: skip


def story_state(story: ShadowStory | None) -> dict[str, Any]:
    """Return curves and days of one challenger; days count challenger less champion."""
    if story is None:
        return {}
    found = story.state.comparison
    return {
        "name": story.state.shadow.name,
        "time": story.time.tolist(),
        "champion": [round(v, 6) for v in story.champion.tolist()],
        "challenger": [round(v, 6) for v in story.challenger.tolist()],
        "days": found.days.tolist(),
        "mean": (-found.bounds[:, 0]).tolist(),
        "low": (-found.bounds[:, 2]).tolist(),
        "high": (-found.bounds[:, 1]).tolist(),
        "weights": story.state.shadow.weights,
        "against": list(story.chapters[-1].weights) if story.chapters else [],
        "alpha": found.alpha,
    }


def _row(state: ShadowState) -> dict[str, Any]:
    shadow, standing, found = state.shadow, state.standing, state.comparison
    return {
        "name": shadow.name,
        "note": shadow.note,
        "runs": shadow.stopped_at is None,
        "since": found.since or None,
        "until": found.until or None,
        "trades": 0 if standing is None else standing.n_trades,
        "drawdown": None if standing is None else standing.drawdown,
        "earned": number(found.challenger),
        "champion": number(found.champion),
        "days": found.interval.n,
        "mean": None if not found.interval.n else -found.interval.mean,
        "low": None if not found.interval.n else -found.interval.high,
        "high": None if not found.interval.n else -found.interval.low,
        "clipped": found.interval.clipped,
        "clip": found.clip,
        "alike": number(found.alike),
        "verdict": found.verdict,
        "words": _words(found),
    }


def _words(found: Comparison) -> dict[str, Any]:
    n, more = found.interval.n, found.interval.more
    if found.verdict == "better":
        return phrase("better than the champion ({n} days)", n=n)
    if found.verdict == "worse":
        return phrase("worse than the champion ({n} days)", n=n)
    if more is None:
        return phrase("not distinguishable yet ({n} days)", n=n)
    return phrase(
        "not distinguishable yet ({n} days; about {more} more are needed)", n=n, more=more
    )
