"""What is known besides bars, as facts and headlines for the card and as words for its steps."""

from typing import Any, Final

from app.components.language import phrase
from opportunity.live.context import Context
from opportunity.market.prices import price_text

MOST_HEADLINES: Final = 12
MINUS: Final = "\N{MINUS SIGN}"
MOODS: Final = {
    "extreme fear": phrase("extreme fear"), "fear": phrase("fear"),
    "neutral": phrase("neutral"), "greed": phrase("greed"),
    "extreme greed": phrase("extreme greed"),
}  # fmt: skip

Fact = tuple[Any, Any, Any, int]
"""Name, value and hint in words, and which side it speaks for."""


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


def context_words(context: Context | None, price: float | None) -> dict[str, Any]:
    """Say in a few words what each detector that reads records had to read."""
    if context is None:
        return {}
    words: dict[str, Any] = {}
    mood, flow = _mood(context), _flow(context, price)
    for name, known in (("sentiment", mood), ("whales", flow)):
        if known:
            words[name] = [phrase("{name} {value}", name=f[0], value=f[1]) for f in known[:2]]
    told = next((h for h in context.headlines if h.tone), None)
    if told is not None:
        words["news"] = phrase(
            "{title} ({publisher}, tone {tone})", title=told.title, publisher=told.publisher,
            tone=_minus(f"{told.tone:+.2f}"),
        )  # fmt: skip
    return words


def _mood(context: Context) -> list[Fact]:
    facts: list[Fact] = []
    if _known(context.fear_greed):
        index, mood, moved = f"{context.fear_greed:.0f}", MOODS[context.mood], ""
        if _known(context.fear_greed_change):
            moved = _minus(f"{context.fear_greed_change:+.0f}")
        facts.append((
            phrase("Fear & Greed"),
            phrase("{index}, {mood}, {moved} in 7 days", index=index, mood=mood, moved=moved)
            if moved else phrase("{index}, {mood}", index=index, mood=mood),
            phrase(
                "Mood of the whole market, 0 fear to 100 greed; extremes count against the crowd"
            ), 0,
        ))  # fmt: skip
    if _known(context.funding):
        share = f"{50 * (1 + context.funding):.0f}"
        facts.append((
            phrase("Funding"), phrase("percentile {n} of 90 days", n=share),
            phrase(
                "What longs pay shorts, against its own last 90 days; high is a crowd of longs"
            ), 0,
        ))  # fmt: skip
    for name, value in (
        (phrase("Open interest"), context.open_interest),
        (phrase("Long/short"), context.long_short),
    ):
        if _known(value):
            shown = phrase("{n} deviations", n=_minus(f"{value:+.1f}"))
            facts.append((name, shown, phrase("Against what is usual for it"), 0))
    return facts


def _flow(context: Context, price: float | None) -> list[Fact]:
    facts: list[Fact] = []
    unit = 1.0 if price is None else price
    if _known(context.large_bought) and _known(context.large_sold):
        net = (context.large_bought - context.large_sold) * unit
        bought = _amount(context.large_bought * unit, context, price)
        sold = _amount(context.large_sold * unit, context, price)
        facts.append((
            phrase("Large prints 24 h"),
            phrase("net {amount}", amount=_amount(net, context, price)),
            phrase(
                "Bought {bought}, sold {sold}, above the 99th percentile", bought=bought, sold=sold
            ), _sign(net),
        ))  # fmt: skip
    total = context.bought + context.sold
    if _known(total) and total > 0:
        share = context.bought / total
        facts.append((
            phrase("Takers 24 h"), phrase("{n} % bought", n=f"{100 * share:.0f}"),
            phrase("Part of the volume in which the buyer took the offer"),
            _sign(share - 0.5, 0.01),
        ))  # fmt: skip
    if _known(context.imbalance):
        heavier = f"{100 * abs(context.imbalance):.0f}"
        bids = context.imbalance >= 0
        facts.append((
            phrase("Book"),
            phrase("bids {n} % heavier", n=heavier) if bids
            else phrase("asks {n} % heavier", n=heavier),
            phrase("Bids against asks near the price, median of the day"),
            _sign(context.imbalance, 0.02),
        ))  # fmt: skip
    if _known(context.vpin):
        facts.append((
            phrase("VPIN"), f"{context.vpin:.2f}", phrase("How one-sided volume is, 0 to 1"), 0,
        ))  # fmt: skip
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
