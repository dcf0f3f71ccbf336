"""What a draft of the weights would have earned beside those in force, as a picture."""

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.components.island import dumps
from app.components.labels import LABELS
from app.components.language import phrase
from opportunity.backtest.sleeves import ALPHA, Chance, Sleeves, SleevesRun, chance
from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.timeframe import DAY_MS
from opportunity.scoring.weights import Weights

if TYPE_CHECKING:
    from app.components.weights_editor import WeightsEditor

POINTS: Final = 121
MINUTE_MS: Final = 60_000
FINE: Final = 1e5
"""Parts of 1 that a point of the picture is rounded to."""


def waiting_state() -> dict[str, Any]:
    """Return the state while history is read."""
    return {"state": "waiting"}


def missing_state(reason: str) -> dict[str, Any]:
    """Return the state where there is no history, and why."""
    return {"state": "missing", "reason": reason}


def what_if_state(
    sleeves: Sleeves, now: SleevesRun, draft: SleevesRun | None, found: Chance | None, tried: int
) -> dict[str, Any]:
    """Return the state of the picture.

    Parameters
    ----------
    sleeves : Sleeves
        The history.
    now, draft : SleevesRun
        Under the weights in force, and under others where there are.
    found : Chance or None
        Of their difference.
    tried : int
        Weight sets that were tried.
    """
    there = zip(DETECTOR_NAMES, sleeves.exists, strict=True)
    return {
        "state": "ready",
        "now": _curve(now),
        "draft": None if draft is None else _curve(draft),
        "since": int(now.time[0]), "until": int(now.time[-1]),
        "days": max(1, round((int(now.time[-1]) - int(now.time[0])) / DAY_MS)),
        "symbols": len(sleeves.symbols), "timeframes": list(sleeves.timeframes),
        "source": sleeves.source, "cash": sleeves.setup.cash,
        "absent": [LABELS[name] for name, exists in there if not exists],
        "tried": tried,
        "verdict": verdict(found), "noise": found is None or found.noise,
    }  # fmt: skip


def verdict(found: Chance | None) -> dict[str, Any]:
    """Return what may be said of a difference, as a phrase."""
    if found is None:
        return phrase("Turn a weight to see what it would have done.")
    if found.same:
        return phrase("No difference: the same trades.")
    if math.isnan(found.p):
        return phrase("{n} days are too few to tell from chance.", n=found.n_days)
    p = _probability(found.p)
    if found.p >= ALPHA:
        return phrase("Difference within noise (p = {p}).", p=p)
    if found.noise:
        return phrase(
            "p = {p} alone, but the luckiest of {n} sets often looks like this: within noise.",
            p=p, n=found.tried,
        )
    return phrase("More than noise in these days (p = {p}, all tries allowed for).",
                  p=_probability(found.allowed))


def follow(editor: "WeightsEditor", sleeves: Sleeves) -> None:
    """Have an editor show what its weights would have done; for notebooks.

    Parameters
    ----------
    editor : WeightsEditor
        Whose draft is beside what it holds as active.
    sleeves : Sleeves
        The history.
    """
    seen: set[bytes] = set()

    def draw(*_: Any) -> None:
        active = Weights(**editor.in_force)
        now = sleeves.run(active)
        if editor.weights == active:
            editor.what_if = dumps(what_if_state(sleeves, now, None, None, len(seen)))
            return
        seen.add(editor.weights.as_array().tobytes())
        run = sleeves.run(editor.weights)
        found = chance(now, run, len(seen))
        editor.what_if = dumps(what_if_state(sleeves, now, run, found, len(seen)))

    editor.weights.param.watch(draw, list(DETECTOR_NAMES))
    editor.param.watch(draw, "active")
    draw()


def _curve(run: SleevesRun) -> dict[str, Any]:
    """Return a thinned curve: minutes since the first mark, and what was earned in 1e-5."""
    time, equity = run.picture(POINTS - 1)
    if time[0] > run.time[0]:  # both curves begin where they began
        time, equity = np.append(run.time[0], time), np.append(run.equity[0], equity)
    earned = np.rint((equity / run.cash - 1) * FINE).astype(np.int64)
    return {
        "x": ((time - run.time[0]) // MINUTE_MS).tolist(), "y": earned.tolist(),
        "earned": run.earned, "drawdown": run.drawdown, "trades": run.n_trades,
    }  # fmt: skip


def _probability(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
