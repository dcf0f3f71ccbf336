"""Signals and what became of them after some bars of the decision timeframe."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
import param

from app.components.island import Island, module, style
from app.components.journal_words import ACTIONS, named, number, reasons
from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.aftermath import BARRIERS, HORIZONS, r_of
from opportunity.storage.candidates import ACTIONS as ACTION_NAMES
from opportunity.storage.decisions import OUTCOMES, Decision
from opportunity.storage.outcomes import UNKNOWN, Outcome

ALL: Final = "all"
SIDES: Final = (ALL, "bullish", "bearish")
MADE: Final = (ALL, "untraded", *ACTION_NAMES)
LED_BY: Final = (ALL, *DETECTOR_NAMES)
TURNED: Final = (ALL, *OUTCOMES)


class OutcomesTable(Island):
    """The newest signals, to filter; one can be opened to see what it was made of."""

    state = param.String("{}", doc="What is shown, JSON; see `outcomes_state`.")
    horizon = param.Integer(24, doc="Bars that `outcome` is about.")
    symbol = param.String("", doc="Only signals of it; empty for all.")
    side: Any = param.Selector(default=ALL, objects=list(SIDES))
    made: Any = param.Selector(default=ALL, objects=list(MADE))
    detector: Any = param.Selector(default=ALL, objects=list(LED_BY))
    outcome: Any = param.Selector(default=ALL, objects=list(TURNED))
    stopped = param.String("", doc="Only what this rule or limit stopped; empty for all.")
    wanted = param.Integer(100, bounds=(1, 500), doc="Rows that are asked for.")
    busy = param.Boolean(False, doc="Whether other rows are being read.")
    problem = param.String("", doc="Why nothing could be read; empty while all is well.")

    _fill = "stretch_width"
    _esm = module("outcomes")
    _stylesheets: ClassVar[list[str]] = [style("outcomes")]


def led_by(decision: Decision) -> str:
    """Return the detector that said most for the side of an idea; empty where none did."""
    c = decision.candidate
    along = {name: c.side * value for name, value in c.contributions.items()}
    best = max(along, key=lambda name: along[name], default="")
    return best if best and along[best] > 0 else ""


def outcomes_state(
    decisions: Sequence[Decision], more: bool, looked: int, symbols: Sequence[str], source: str
) -> dict[str, Any]:
    """Return what `OutcomesTable` shows.

    Parameters
    ----------
    decisions : sequence of Decision
        Newest first.
    more : bool
        Whether older ones may fit.
    looked : int
        How many were looked at to find these.
    symbols : sequence of str
        To choose from.
    source : str
        Stamp of the market.

    Returns
    -------
    dict
        `rows` with `time` of the close, `why` as phrases and `outcomes` by horizon: `what`
        (right, wrong or unknown), `r`, `move` (fraction, along the side), `best` and `worst` in
        ATR; absent while the horizon is not over.
    """
    return {
        "stamp": source,
        "symbols": list(symbols),
        "horizons": list(HORIZONS),
        "more": more,
        "looked": looked,
        "rows": [row_of(decision) for decision in decisions],
    }


def row_of(decision: Decision) -> dict[str, Any]:
    """Return one decision as a row."""
    c = decision.candidate
    return {
        "id": decision.id, "time": c.time, "symbol": c.symbol, "timeframe": c.timeframe,
        "side": c.side, "action": c.action, "made": named(ACTIONS, c.action),
        "why": reasons(decision), "led": led_by(decision), "score": c.score, "net": c.net,
        "confidence": c.confidence, "consensus": c.consensus, "trust": c.trust,
        "success": number(c.success), "price": c.price,
        "parts": [[n, c.contributions[n]] for n in DETECTOR_NAMES if n in c.contributions],
        "outcomes": {str(one.horizon): _outcome(one) for one in decision.outcomes},
    }  # fmt: skip


def _outcome(found: Outcome) -> dict[str, Any]:
    if found.barrier == UNKNOWN:
        return {"what": "unknown"}
    code = np.array([BARRIERS.index(found.barrier)])
    r = r_of(code, np.array([float(found.right)]), np.array([found.move_atr]))
    return {
        "what": "right" if found.right else "wrong", "r": float(r[0]), "move": found.move,
        "best": found.best, "worst": found.worst, "barrier": found.barrier, "known": found.known,
    }  # fmt: skip
