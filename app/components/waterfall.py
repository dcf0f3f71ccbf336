"""Contributions as a waterfall: each starts where the one before it ended, the last ends at net."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from app.components.labels import HINTS, LABELS
from app.components.language import phrase
from opportunity.detectors.events import Event
from opportunity.detectors.sightings import sightings
from opportunity.market.bars import Bars
from opportunity.scoring.explanation import Component, Explanation
from opportunity.scoring.wording import sighted

DIGITS: Final = 3
MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "\N{EN DASH}"

TRENDS: Final = {
    "UP": phrase("trend up"), "DOWN": phrase("trend down"), "RANGING": phrase("ranging"),
}  # fmt: skip
VOLATILITIES: Final = {
    "LOW": phrase("low volatility"), "NORMAL": phrase("normal volatility"),
    "HIGH": phrase("high volatility"),
}  # fmt: skip


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
    advice: Any = "",
    success: Any = "",
    ict: float = float("nan"),
    read: Mapping[str, Any] | None = None,
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
    advice : str or phrase, optional
        What the card says at its right end.
    success : str, phrase or list of them, optional
        How often such calls were right, see `success_line`.
    ict : float, optional
        Score of the ICT sequence inside SMC, [-1, 1].
    read : mapping of str to words, optional
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


def facts(explanation: Explanation) -> list[Any]:
    """Put the figures beside the score into words."""
    one = explanation
    if not np.isfinite(one.final):
        return [one.timeframe, phrase("no score yet: 100 closed bars are needed")]
    return [
        one.timeframe,
        phrase("confidence {value}", value=f"{one.confidence:.2f}"),
        TRENDS[one.trend],
        phrase("disagreement {value}", value=f"{one.disagreement:.2f}"),
        phrase("coverage {value}", value=f"{one.coverage:.2f}"),
        VOLATILITIES[one.volatility_level],
    ]


def trust_line(explanation: Explanation) -> Any:
    """Say that the bars cannot be trusted fully, and why; empty where they can."""
    if not explanation.trust < 1:
        return ""
    value, why = f"{explanation.trust:.2f}", explanation.trust_note
    if not why:
        return phrase("Trust in the data {value}", value=value)
    return phrase("Trust in the data {value}: {why}", value=value, why=why)


def say(
    component: Component,
    exists: bool,
    words: Mapping[tuple[str, int], str],
    read: Mapping[str, Any] | None = None,
) -> Any:
    """Say in words what a detector found, or why it is silent.

    What it had to read stands beside that as context: the score comes from more than these facts,
    which may point the other way.

    Returns
    -------
    str or dict
        The detectors' own words are English text, the others a `phrase`.
    """
    if not exists:
        return phrase("absent: nothing to read")
    if not component.available:
        return phrase("no data")
    side = int(np.sign(component.score))
    if side and (component.detector, side) in words:
        return words[component.detector, side]
    cancel = component.confidence > 0
    silent = phrase("both sides cancel") if cancel else phrase("sees nothing now")
    lean = {1: phrase("leans up"), -1: phrase("leans down")}.get(side, silent)
    known = (read or {}).get(component.detector)
    return phrase("{lean} · context: {known}", lean=lean, known=known) if known else lean


def advice_line(action: str, risk: str) -> list[Any]:
    """Say what the whole of a symbol advises, and at what risk."""
    return [
        phrase("Overall: {action}", action=phrase_of(action.replace("_", " "))),
        phrase("risk {level}", level=phrase_of(risk)),
    ]


def phrase_of(name: str) -> dict[str, Any]:
    """Return a name as words of the catalogue, where it stands as it is."""
    return {"text": name, "values": {}}


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _hint(name: str, ict: float) -> list[Any]:
    """Say what a detector looks at; that of SMC tells the ICT part by itself as well."""
    if name == "smc" and np.isfinite(ict):
        return [HINTS[name], phrase("ICT sequence by itself {value}", value=f"{ict:+.2f}")]
    return [HINTS[name]]


def formula(component: Component) -> Any:
    """Say how a contribution comes about; empty for a detector that is not available."""
    if not component.available:
        return ""
    figures = {
        "score": f"{component.score:+.2f}", "trust": f"{component.confidence:.2f}",
        "weight": f"{component.weight:.2f}",
    }  # fmt: skip
    amount = phrase("score {score} * confidence {trust} * weight {weight} / sum", **figures)
    if component.gated == component.score:
        return amount
    gate = phrase("gate of the trend: score {score}", score=f"{component.gated:+.2f}")
    return [amount, gate]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
