"""Contributions as a waterfall: each starts where the one before it ended, the last ends at net."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from app.components.labels import HINTS, LABELS
from opportunity.detectors.events import Event
from opportunity.detectors.sightings import sightings
from opportunity.market.bars import Bars
from opportunity.scoring.explanation import Component, Explanation
from opportunity.scoring.wording import sighted

DIGITS: Final = 3
MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Step:
    """One contribution: from where to where it carries the sum, and how it is written.

    `value` is NaN for a detector that is not available; it then starts and ends where the sum
    stands.
    """

    name: str
    value: float
    start: float
    end: float
    shown: str


def waterfall(names: Sequence[str], values: Sequence[float]) -> list[Step]:
    """Add contributions one after the other.

    Parameters
    ----------
    names, values : sequence
        Contributions in detector order, NaN where unavailable.

    Returns
    -------
    list of Step
        The last `end` is `net` bit for bit, because net is defined as this sum; the `shown`
        texts add up to the rounded net, the largest takes what rounding leaves over.
    """
    steps: list[Step] = []
    total = 0.0
    for name, value, text in zip(names, values, rounded(values), strict=True):
        before = total
        if np.isfinite(value):
            total += value
        steps.append(Step(name, float(value), before, total, text))
    return steps


def rounded(values: Sequence[float], digits: int = DIGITS) -> list[str]:
    """Write numbers with `digits` decimals so that the texts add up to their rounded sum.

    NaN is written as a dash and counts as nothing.
    """
    scale = 10**digits
    there = [float(v) if np.isfinite(v) else 0.0 for v in values]
    units = [round(v * scale) for v in there]
    if units:
        largest = max(range(len(units)), key=lambda i: abs(there[i]))
        units[largest] += round(sum(there) * scale) - sum(units)
    return [
        signed(unit, digits) if np.isfinite(value) else DASH
        for unit, value in zip(units, values, strict=True)
    ]


def side_of(shown: str) -> int:
    """Return the side of a number as it is written: +1, -1, and 0 for one that rounds to 0."""
    return {"+": 1, MINUS: -1}.get(shown[:1], 0)


def signed(units: int, digits: int = DIGITS) -> str:
    """Write a whole number of last digits with its sign: 150 becomes ``+0.150``, 0 has none."""
    return f"{MINUS if units < 0 else '+' if units else ''}{abs(units) / 10**digits:.{digits}f}"


def why_state(
    explanation: Explanation,
    symbol: str,
    words: Mapping[tuple[str, int], str] | None = None,
    exists: Sequence[bool] | None = None,
    advice: str = "",
    success: str = "",
    ict: float = float("nan"),
    read: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what `WhyCard` draws for one bar of one stream.

    Parameters
    ----------
    explanation : Explanation
        From `Scores.explain` or `ensemble.explain`.
    symbol : str
        Whose bar it is.
    words : mapping, optional
        What each detector saw, by name and side (+1, -1), see `told`; where nothing is given for
        the side that it took, the words say which way it leans.
    exists : sequence of bool, optional
        Which detectors have what they read.
    advice : str, optional
        What the card says at its right end.
    success : str, optional
        How often such calls were right, see `success_line`.
    ict : float, optional
        Score of the ICT sequence inside SMC, [-1, 1].
    read : mapping of str to str, optional
        What detectors had to read besides bars, by name: told as context where they say no more
        than a side.
    """
    parts = explanation.components
    steps = waterfall([c.detector for c in parts], [c.contribution for c in parts])
    there = [True] * len(parts) if exists is None else list(exists)
    net = _number(explanation.net)
    net_shown = "" if net is None else signed(round(net * 10**DIGITS))
    return {
        "symbol": symbol,
        "score": _number(explanation.final),
        "direction": {"BULLISH": 1, "BEARISH": -1}.get(explanation.direction, 0),
        "facts": facts(explanation),
        "success": success,
        "trust": trust_line(explanation),
        "advice": advice or f"{explanation.timeframe}: {explanation.advice}",
        "net": net,
        "net_shown": net_shown,
        "net_side": side_of(net_shown),
        "steps": [
            {
                "name": step.name,
                "label": LABELS[step.name],
                "value": _number(step.value),
                "start": step.start,
                "end": step.end,
                "shown": step.shown,
                "side": side_of(step.shown),
                "words": say(component, there[i], words or {}, read or {}),
                "exists": there[i],
                "formula": formula(component),
                "hint": _hint(step.name, ict),
            }
            for i, (step, component) in enumerate(zip(steps, parts, strict=True))
        ],
    }


def told(events: Sequence[Event], bars: Bars) -> dict[tuple[str, int], str]:
    """Put what detectors see on the last of `bars` into words, by name and side (+1, -1).

    Each thing has a line of its own; where lines are folded, a semicolon still parts them.
    """
    return {
        key: ";\n".join(_capital(sighted((one,))) for one in found)
        for key, found in sightings(events, bars).items()
    }


def facts(explanation: Explanation) -> str:
    """Put the figures beside the score into one line."""
    if not np.isfinite(explanation.final):
        return f"{explanation.timeframe} · no score yet: 100 closed bars are needed"
    trend = {"UP": "trend up", "DOWN": "trend down", "RANGING": "ranging"}[explanation.trend]
    return (
        f"{explanation.timeframe} · confidence {explanation.confidence:.2f} · {trend} · "
        f"disagreement {explanation.disagreement:.2f} · coverage {explanation.coverage:.2f} · "
        f"{explanation.volatility_level.lower()} volatility"
    )


def trust_line(explanation: Explanation) -> str:
    """Say that the bars cannot be trusted fully, and why; empty where they can."""
    if not explanation.trust < 1:
        return ""
    why = f": {explanation.trust_note}" if explanation.trust_note else ""
    return f"Trust in the data {explanation.trust:.2f}{why}"


def say(
    component: Component,
    exists: bool,
    words: Mapping[tuple[str, int], str],
    read: Mapping[str, str] | None = None,
) -> str:
    """Say in words what a detector found, or why it is silent.

    What it had to read stands beside that as context: the score comes from more than these facts,
    which may point the other way.
    """
    if not exists:
        return "absent: nothing to read"
    if not component.available:
        return "no data"
    side = int(np.sign(component.score))
    if side and (component.detector, side) in words:
        return words[component.detector, side]
    silent = "both sides cancel" if component.confidence > 0 else "sees nothing now"
    lean = {1: "leans up", -1: "leans down"}.get(side, silent)
    known = (read or {}).get(component.detector, "")
    return f"{lean} · context: {known}" if known else lean


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _hint(name: str, ict: float) -> str:
    """Say what a detector looks at; that of SMC tells the ICT part by itself as well."""
    told = f"; ICT sequence by itself {ict:+.2f}" if name == "smc" and np.isfinite(ict) else ""
    return HINTS[name] + told


def formula(component: Component) -> str:
    """Say how a contribution comes about; empty for a detector that is not available."""
    if not component.available:
        return ""
    gate = "" if component.gated == component.score else f" (gated {component.gated:+.2f})"
    return (
        f"score {component.score:+.2f}{gate} {TIMES} conf {component.confidence:.2f} {TIMES} "
        f"weight {component.weight:.2f} ÷ sum"
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
