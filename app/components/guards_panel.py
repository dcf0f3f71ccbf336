"""The guards of a backtest's weights, with a plain verdict, and the way past them."""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import param

from app.components.island import Island, dumps
from app.components.language import phrase
from app.components.research_part import part_module, part_style
from app.promote import Examined

QUESTIONS: Final = {
    "trades": phrase("Are there enough trades?"),
    "probabilistic_sharpe": phrase("Is the Sharpe ratio above zero?"),
    "track_record": phrase("Is the history long enough?"),
    "deflated_sharpe": phrase("Is it more than the luck of many trials?"),
    "pbo": phrase("Does the best stay good later?"),
    "equal_weights": phrase("Is it better than equal weights?"),
}
"""By the name of the guard; a test holds that every guard has one."""

MEANINGS: Final = {
    "trades": phrase("With few trades any curve is chance."),
    "probabilistic_sharpe": phrase(
        "Probability that the true Sharpe ratio is above zero, for so many days, skew and tails."
    ),
    "track_record": phrase("Days that a Sharpe ratio of this height needs to be told from zero."),
    "deflated_sharpe": phrase(
        "The same against the best that luck alone shows among all trials on this data (DSR)."
    ),
    "pbo": phrase("How often the best of one half of the time is poor in the other (PBO)."),
    "equal_weights": phrase(
        "Probability that its Sharpe ratio is above that of equal weights, by a block bootstrap."
    ),
}
WHOLE: Final = frozenset({"trades", "track_record"})


class GuardsPanel(Island):
    """Asks the guards, shows their answers, and promotes.

    Parameters
    ----------
    on_command : callable
        `on_command(asked)`: ``type`` is ``ask``, ``cancel`` or ``promote``, the last with
        ``why``, ``force`` and ``preset``.
    """

    state = param.String("{}", doc="What the guards said, JSON; see `guards_state`.")

    _fill = "stretch_width"
    _esm = part_module("guards_panel")
    _stylesheets: ClassVar[list[str]] = [part_style("guards_panel")]

    def __init__(
        self, on_command: Callable[[Mapping[str, Any]], None] | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        self._on_command = on_command
        self._answers = 0

    def draw(self, state: Mapping[str, Any]) -> None:
        """Show a state; the same twice is still an answer."""
        self._answers += 1
        self.state = dumps({**state, "n": self._answers})

    def _handle_msg(self, data: Any) -> None:
        if self._on_command is not None:
            self._on_command(dict(data))


def guards_state(examined: Examined) -> dict[str, Any]:
    """Return what the guards said, with the verdict in plain words."""
    guards = list(examined.guards)
    failed = [guard for guard in guards if not guard.passed]
    helps = dict.fromkeys(guard.help for guard in failed if guard.help)
    if not failed:
        verdict = phrase("It may be believed: all {n} guards pass.", n=len(guards))
    elif len(failed) == len(guards):
        verdict = phrase("Do not believe it: all {n} guards fail.", n=len(guards))
    else:
        verdict = phrase(
            "Not to be believed yet: {failed} of {n} guards fail.",
            failed=len(failed), n=len(guards),
        )  # fmt: skip
    return {
        "passed": not failed, "verdict": verdict, "trials": examined.n_trials,
        "advice": phrase("What could help: {what}.", what=", ".join(helps)) if helps else "",
        "guards": [
            {
                "name": g.name, "value": _plain(g.value), "threshold": _plain(g.threshold),
                "passed": bool(g.passed), "text": g.text, "whole": g.name in WHOLE,
                "question": QUESTIONS.get(g.name, g.name),
                "meaning": MEANINGS.get(g.name, ""),
            }
            for g in guards
        ],
    }  # fmt: skip


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
