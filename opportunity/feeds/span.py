"""Which symbols, which timeframe and which span a replay takes from a store."""

from collections.abc import Iterable
from typing import Final

from opportunity.errors import CoverageError
from opportunity.market.bars import Bars
from opportunity.market.files import Coverage
from opportunity.market.store import BarStore
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import TIMEFRAMES, Timeframe, length_ms, utc_text

HISTORY: Final = 1000
"""Base bars that half of the symbols have behind them where a replay starts by default."""


def symbols_in(store: BarStore, wanted: Iterable[str] | None) -> tuple[str, ...]:
    """Return the wanted symbols in the store's spelling.

    None: all that share the timeframe that most of the symbols have (the finest of equals).
    """
    if wanted is not None:
        names = tuple(parse_symbol(s) for s in wanted)
        if not names or len(set(names)) < len(names):
            raise ValueError(f"symbols must be a non-empty list without repeats, was {names}")
        return names
    held = {t: store.symbols(t) for t in TIMEFRAMES}
    most = max(held.values(), key=len)
    if not most:
        raise CoverageError(f"no bars are stored in {store.exchange}")
    return tuple(most)


def common_timeframe(
    store: BarStore,
    symbols: tuple[str, ...],
    wanted: Iterable[Timeframe],
    start: int | None,
    end: int | None,
) -> Timeframe:
    """Return the finest timeframe that every symbol has over its part of the span."""
    held = {s: {t: store.coverage(s, t) for t in store.timeframes(s)} for s in symbols}
    for name in wanted:
        if all(_covers(parts, name, start, end) for parts in held.values()):
            return name
    raise CoverageError(coverage_text(store, symbols, start, end))


def _covers(parts: dict[Timeframe, Coverage], name: Timeframe, start: int | None,
            end: int | None) -> bool:
    """Tell whether one timeframe reaches as far into the span as the symbol does at all."""
    if name not in parts or not parts[name].n_bars:
        return False
    known = [(p.first, p.last + length_ms(t)) for t, p in parts.items() if p.n_bars]
    listed, ended = min(first for first, _ in known), max(last for _, last in known)
    slack = max(length_ms(t) for t in parts)  # a longer bar may reach over the edge
    here, there = parts[name].first, parts[name].last + length_ms(name)
    return (start is None or here <= max(start, listed) + slack or listed >= (end or ended)) and (
        end is None or there >= min(end, ended) - slack or ended <= (start or listed)
    )


def coverage_text(
    store: BarStore, symbols: tuple[str, ...], start: int | None, end: int | None
) -> str:
    """Word what a store holds of the symbols, for an error about a span."""
    lines = [
        f"  {s}: " + ("; ".join(f"{t} {store.coverage(s, t)}" for t in store.timeframes(s))
                      or "nothing")
        for s in symbols[:30]
    ]
    more = [f"  and {len(symbols) - 30} more"] if len(symbols) > 30 else []
    span = f"{'the first bar' if start is None else utc_text(start)} to " + (
        "the last bar" if end is None else utc_text(end)
    )
    head = f"symbols must have a timeframe in common from {span}; {store.exchange} holds"
    return "\n".join([head, *lines, *more])


def default_start(parts: list[Bars], length: int) -> int:
    """Return the closing time at which half of the symbols have `HISTORY` bars behind them."""
    first = min(int(p.time[0]) for p in parts if len(p))
    last = max(int(p.time[-1]) for p in parts if len(p)) + length
    ready = sorted(int(p.time[HISTORY - 1]) + length for p in parts if len(p) >= HISTORY)
    half = -(-len(parts) // 2)
    if len(ready) >= half and ready[half - 1] < last:
        return ready[half - 1]
    return first + max(1, (last - first) // 5 // length) * length
