"""What is known besides bars, as facts and headlines for the card and as words for its steps."""

from typing import Any, Final

from opportunity.live.context import Context
from opportunity.market.prices import price_text

MOST_HEADLINES: Final = 12
MINUS: Final = "\N{MINUS SIGN}"


def context_state(context: Context | None, price: float | None) -> dict[str, Any]:
    """Return what `WhyCard` shows of a symbol's context.

    Parameters
    ----------
    context : Context or None
        None while nothing is known.
    price : float or None
        To write amounts in quote currency.

    Returns
    -------
    dict
        `stamp`, `now`, `facts` as [name, value, hint, tone], `headlines`; empty for None. Titles
        are as their publishers wrote them: show them as text, never as markup.
    """
    if context is None:
        return {}
    return {
        "stamp": context.source,
        "now": context.time,
        "facts": [*_mood(context), *_flow(context, price)],
        "headlines": [
            {
                "title": item.title,
                "publisher": item.publisher,
                "tone": round(item.tone, 2),
                "known": item.known_at,
                "market": item.link < 1.0,
                "publishers": item.n_publishers,
            }
            for item in context.headlines
        ],
    }


def context_words(context: Context | None, price: float | None) -> dict[str, str]:
    """Say in a few words what each detector that reads records had to read."""
    if context is None:
        return {}
    words = {}
    mood, flow = _mood(context), _flow(context, price)
    if mood:
        words["sentiment"] = ", ".join(f"{name} {value}" for name, value, _, _ in mood[:2])
    if flow:
        words["whales"] = ", ".join(f"{name} {value}" for name, value, _, _ in flow[:2])
    told = next((h for h in context.headlines if h.tone), None)
    if told is not None:
        words["news"] = f"{told.title} ({told.publisher}, tone {_minus(f'{told.tone:+.2f}')})"
    return words


def _mood(context: Context) -> list[tuple[str, str, str, int]]:
    facts: list[tuple[str, str, str, int]] = []
    if _known(context.fear_greed):
        moved = context.fear_greed_change
        change = _minus(f", {moved:+.0f} in 7 days") if _known(moved) else ""
        facts.append((
            "Fear & Greed", f"{context.fear_greed:.0f}, {context.mood}{change}",
            "Mood of the whole market, 0 fear to 100 greed; extremes count against the crowd", 0,
        ))
    if _known(context.funding):
        facts.append((
            "Funding", f"percentile {50 * (1 + context.funding):.0f} of 90 days",
            "What longs pay shorts, against its own last 90 days; high is a crowd of longs", 0,
        ))
    for name, value in (
        ("Open interest", context.open_interest), ("Long/short", context.long_short),
    ):
        if _known(value):
            shown = _minus(f"{value:+.1f} deviations")
            facts.append((name, shown, "Against what is usual for it", 0))
    return facts


def _flow(context: Context, price: float | None) -> list[tuple[str, str, str, int]]:
    facts: list[tuple[str, str, str, int]] = []
    unit = 1.0 if price is None else price
    if _known(context.large_bought) and _known(context.large_sold):
        net = (context.large_bought - context.large_sold) * unit
        facts.append((
            "Large prints 24 h", f"net {_amount(net, context, price)}",
            f"Bought {_amount(context.large_bought * unit, context, price)}, sold "
            f"{_amount(context.large_sold * unit, context, price)}, above the 99th percentile",
            _sign(net),
        ))
    total = context.bought + context.sold
    if _known(total) and total > 0:
        share = context.bought / total
        facts.append((
            "Takers 24 h", f"{100 * share:.0f} % bought",
            "Part of the volume in which the buyer took the offer", _sign(share - 0.5, 0.01),
        ))
    if _known(context.imbalance):
        facts.append((
            "Book", f"{'bids' if context.imbalance >= 0 else 'asks'} "
            f"{100 * abs(context.imbalance):.0f} % heavier",
            "Bids against asks near the price, median of the day", _sign(context.imbalance, 0.02),
        ))
    if _known(context.vpin):
        facts.append(("VPIN", f"{context.vpin:.2f}", "How one-sided volume is, 0 to 1", 0))
    return facts


def _amount(value: float, context: Context, price: float | None) -> str:
    base, _, quote = context.symbol.partition("/")
    unit = base if price is None else quote
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            return f"{_minus(f'{value / size:.1f}')} {letter} {unit}"
    return f"{_minus(price_text(value))} {unit}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def _known(value: float) -> bool:
    return value == value


def _sign(value: float, least: float = 0.0) -> int:
    return 0 if abs(value) <= least else 1 if value > 0 else -1
