"""What was not traded and why, and what each rule would have cost or saved."""

from collections.abc import Sequence
from typing import Any, ClassVar

import param

from app.components.island import Island, module, style
from app.components.journal_words import (
    ACTIONS,
    KINDS,
    STOPS,
    average_state,
    named,
    worth,
)
from app.components.outcomes import row_of
from app.journal_figures import Gate
from opportunity.storage.decisions import Decision


class DecisionsNotTaken(Island):
    """Rules with what they stopped, and the newest ideas that were not traded."""

    gates = param.String("{}", doc="Rules and limits, JSON; see `gates_state`.")
    state = param.String("{}", doc="The newest that were not traded, JSON; see `untraded_state`.")
    stopped = param.String("", doc="Rule or limit that is chosen; empty for none.")

    _fill = "stretch_both"
    _esm = module("decisions")
    _stylesheets: ClassVar[list[str]] = [style("decisions")]


def gates_state(found: Sequence[Gate], n: int, horizon: int) -> dict[str, Any]:
    """Return what is shown of rules and limits.

    Parameters
    ----------
    found : sequence of Gate
        The most frequent first.
    n : int
        Judged ideas that it was made of.
    horizon : int
        Decision bars.
    """
    return {
        "n": n,
        "horizon": horizon,
        "gates": [
            {
                "name": gate.name,
                "said": named(ACTIONS if gate.kind == "action" else STOPS, gate.name),
                "kind": gate.kind,
                "is": KINDS[gate.kind],
                "n": gate.n,
                "alone": gate.n_alone,
                "hit": average_state(gate.alone.hit_rate),
                "r": average_state(gate.alone.mean_r),
                "worth": worth(gate.alone)[0],
                "words": worth(gate.alone)[1],
            }
            for gate in found
        ],
    }


def untraded_state(decisions: Sequence[Decision], horizon: int) -> dict[str, Any]:
    """Return the newest decisions that were not taken, as rows of `outcomes_state`."""
    return {"horizon": horizon, "rows": [row_of(decision) for decision in decisions]}
