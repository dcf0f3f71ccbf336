"""The reasons of a score in words: one paragraph, a table, and the same as HTML."""

import html
import math
from typing import TYPE_CHECKING, Final

from opportunity.detectors import DETECTORS
from opportunity.market.prices import price_text
from opportunity.market.timeframe import utc_text

if TYPE_CHECKING:
    from opportunity.detectors.sightings import Sighting
    from opportunity.scoring.explanation import Component, Explanation

TITLES: Final[dict[str, str]] = {d.name: d.title for d in DETECTORS}
SIDES: Final = ("Bullish ", "Bearish ", "Neutral ")
COLUMNS: Final = ("detector", "score", "gate", "confidence", "weight", "contribution", "sees")
DASH: Final = "-"


def headline(told: "Explanation") -> str:
    """Say in one paragraph where a score comes from.

    The detectors on the side of `net` come first, then those against it, each by the size of its
    contribution; then the state of the market and what is not available.
    """
    if math.isnan(told.net):
        return f"No score: no detector is available ({_absent(told)})."
    side = 1.0 if told.net >= 0 else -1.0
    heaviest = sorted(
        (c for c in told.components if c.available and c.contribution != 0),
        key=lambda c: -abs(c.contribution),
    )
    with_it = [_phrase(c) for c in heaviest if c.contribution * side > 0]
    against = [_phrase(c) for c in heaviest if c.contribution * side < 0]
    said = "; ".join(with_it) or "no detector sees anything"
    if against:
        said += "; against it " + "; ".join(against)
    absent = _absent(told)
    success = "" if math.isnan(told.success) else f", success {told.success:.2f}"
    return (
        f"{told.direction.capitalize()} {told.final:.2f}, confidence {told.confidence:.2f}"
        f"{success}: "
        f"{said}. {_market(told)}" + (f" Not available: {absent}." if absent else "") + _doubt(told)
    )


def text(told: "Explanation") -> str:
    """Return title, headline and table as plain text."""
    table = [COLUMNS, *_rows(told)]
    widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
    last = len(COLUMNS) - 1
    lines = [
        "  ".join(
            cell.ljust(widths[i]) if i in (0, last) else cell.rjust(widths[i])
            for i, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]
    return "\n".join([title(told), headline(told), "", *lines, _sum(told)])


def markup(told: "Explanation") -> str:
    """Return the same as HTML for a notebook; whatever comes from outside is escaped."""
    head = "".join(f"<th style='text-align:left'>{html.escape(c)}</th>" for c in COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in row)
        + "</tr>"
        for row in _rows(told)
    )
    return (
        f"<div><b>{html.escape(title(told))}</b><p style='max-width:60em'>"
        f"{html.escape(headline(told))}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}"
        f"</tbody></table><p>{html.escape(_sum(told))}</p></div>"
    )


def title(told: "Explanation") -> str:
    """Name the bar: symbol, timeframe, close time and price, as far as they are known."""
    what = " ".join(part for part in (told.symbol, told.timeframe) if part) or "bar"
    when = f"{'closed' if told.timeframe else 'opened'} {utc_text(told.closed)} UTC"
    price = "" if math.isnan(told.price) else f", close {price_text(told.price)}"
    return f"{what} {when}{price}"


def sighted(seen: "tuple[Sighting, ...]") -> str:
    """Put what a detector sees into words; empty for nothing."""
    return ", ".join(f"{_inside(s.text)} ({_state(s)}{_ago(s.age)})" for s in seen)


def sees(part: "Component") -> str:
    """Put what an available detector sees into words; without a thing, what it goes by."""
    told = sighted(part.sightings) or part.remark
    if told or part.score != 0:
        return told
    return "nothing now" if part.confidence == 0 else "both sides cancel"


def _phrase(part: "Component") -> str:
    name = TITLES[part.detector]
    if not part.sightings:
        leans = f"{name} leans {'up' if part.score > 0 else 'down'}"
        return f"{leans} ({part.remark})" if part.remark else leans
    seen = sighted(part.sightings)
    return seen if name in part.sightings[0].text else f"{name} {seen}"


def _inside(told: str) -> str:
    """Begin in lower case where the text begins with its side: it stands inside a sentence."""
    return told[0].lower() + told[1:] if told.startswith(SIDES) else told


def _state(seen: "Sighting") -> str:
    """Name the state; that it is active, or what its words say already, is left out."""
    return "" if seen.state == "active" or seen.state in seen.text else f"{seen.state} "


def _ago(age: int) -> str:
    return "now" if age == 0 else "1 bar ago" if age == 1 else f"{age} bars ago"


def _market(told: "Explanation") -> str:
    """Put the state of the market into a sentence; what is not known is left out."""
    trend = {"UP": "trend up", "DOWN": "trend down", "RANGING": "no trend"}[told.trend]
    facts = [trend]
    if not math.isnan(told.volatility):
        facts.append(f"{told.volatility_level.lower()} volatility (rank {told.volatility:.2f})")
    if told.atr > 0:  # in a market that stands still RSI is 0 by definition and says nothing
        if not math.isnan(told.rsi):
            facts.insert(0, f"RSI {told.rsi:.0f}")
        facts.append(f"ATR {100 * told.atr / told.price:.2f} % of the price")
    return facts[0][0].upper() + ", ".join(facts)[1:] + "."


def _doubt(told: "Explanation") -> str:
    """Say that the bars cannot be trusted fully, and why; empty where they can."""
    if not told.trust < 1:
        return ""
    why = f": {told.trust_note}" if told.trust_note else ""
    return f" Trust in the data {told.trust:.2f}, which lowers the confidence{why}."


def _absent(told: "Explanation") -> str:
    """Name what is not available, together with its reason."""
    reasons: dict[str, list[str]] = {}
    for part in told.components:
        if not part.available:
            reasons.setdefault(part.reason, []).append(TITLES[part.detector])
    return "; ".join(
        ", ".join(names) + (f" ({reason})" if reason else "") for reason, names in reasons.items()
    )


def _rows(told: "Explanation") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for part in told.components:
        numbers = (
            f"{part.score:+.3f}", f"{part.gate:.2f}", f"{part.confidence:.3f}",
            f"{part.weight:.3f}", f"{part.contribution:+.4f}",
        )
        if part.available:
            told_of = sees(part)
        else:
            numbers = (DASH, DASH, DASH, numbers[3], DASH)
            told_of = f"not available: {part.reason}" if part.reason else "not available"
        rows.append((TITLES[part.detector], *numbers, told_of))
    return rows


def _sum(told: "Explanation") -> str:
    if math.isnan(told.net):
        return "no net"
    return (
        f"net {told.net:+.4f} = bull {told.bull_mass:.4f} - bear {told.bear_mass:.4f}; "
        f"score (1 + net) / 2 = {told.final:.4f}; disagreement {told.disagreement:.2f}, "
        f"coverage {told.coverage:.2f}"
    )
