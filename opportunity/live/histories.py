"""Where a scan gets its bars: a store, bars in memory or a feed, loaded symbol by symbol.

One symbol that cannot be read never stops the others: its error is kept beside them.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from opportunity.errors import CoverageError, OpportunityError
from opportunity.feeds.base import Feed
from opportunity.live.observers import Observers
from opportunity.market.bars import Bars
from opportunity.market.resample import resample
from opportunity.market.store import BarStore
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import TIMEFRAMES, Timeframe, divides, length_ms
from opportunity.market.trust import Faults
from opportunity.scoring.drawdown import needed_bars
from opportunity.scoring.snapshot import MarketSnapshot

N_BARS: Final = 1_000
"""Bars that a stream is scored from, as the agent's warm-up."""

DAILY: Final[tuple[Timeframe, ...]] = ("1h", "2h", "4h", "6h", "12h", "1d", "1w")
"""Timeframes that can tell the figures of the day and the drawdown, best first."""

N_THREADS: Final = 8  # mostly waiting for the disk and for code that holds no GIL

T = TypeVar("T")

Held = Mapping[str, Bars] | Mapping[str, Sequence[Bars]]
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Histories:
    """Bars of each stream that could be read.

    Parameters
    ----------
    source : str
        Stamp of the data.
    bars : dict
        By symbol and timeframe; at most `N_BARS`, never empty.
    daily : dict
        By symbol: bars of the finest timeframe >= 1h, long enough for the drawdown's rank.
    errors : dict
        What went wrong, by symbol or by symbol and timeframe.
    live : MarketSnapshot or None
        What the agent knows of all symbols: its figures of the day are newer than the bars here.
    observers : Observers or None
        What was known besides bars, of all symbols.
    faults : Faults or None
        What a feed of `base` bars knows to be wrong, of all symbols.
    """

    source: str
    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    bars: dict[tuple[str, Timeframe], Bars] = field(default_factory=dict)
    daily: dict[str, Bars] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    live: MarketSnapshot | None = None
    observers: Observers | None = None
    faults: Faults | None = None
    base: Timeframe = "1m"


Read = Callable[[str, Timeframe, int | None, int], Bars]
"""(symbol, timeframe, end, n) -> the newest n bars that closed by `end`, CoverageError if none."""


def store_reader(store: BarStore) -> Read:
    """Read from a store, resampling what is not stored."""

    def read(symbol: str, timeframe: Timeframe, end: int | None, n: int) -> Bars:
        opened = None if end is None else end - length_ms(timeframe) + 1
        return store.load(symbol, timeframe, end=opened, limit=n)

    return read


def memory_reader(held: Held) -> Read:
    """Read from bars in memory, resampling what is not there from the shortest that divides."""
    by_symbol: dict[str, dict[Timeframe, Bars]] = {}
    for name, given in held.items():
        several = [given] if isinstance(given, Bars) else list(given)
        for bars in several:
            if bars.timeframe is None:
                raise ValueError(f"bars of {name} must have a timeframe to be scanned, was None")
            by_symbol.setdefault(parse_symbol(name), {})[bars.timeframe] = bars

    def read(symbol: str, timeframe: Timeframe, end: int | None, n: int) -> Bars:
        there = by_symbol[symbol]
        finer = [t for t in TIMEFRAMES if t in there and divides(t, timeframe)]
        if not finer:
            raise CoverageError(
                f"{symbol} has no bars that make {timeframe}. There: {', '.join(there)}"
            )
        found = there.get(timeframe)
        bars = resample(there[finer[0]], timeframe) if found is None else found
        if end is not None:
            bars = bars[: int((bars.close_time <= end).sum())]
        return bars[max(0, len(bars) - n):]

    return read


def load(
    read: Read,
    source: str,
    symbols: Sequence[str],
    timeframes: tuple[Timeframe, ...],
    end: int | None,
    progress: Progress | None = None,
) -> Histories:
    """Read all streams in a pool of threads; `progress` hears of (done, all) symbols."""
    histories = Histories(source, tuple(symbols), timeframes)
    with ThreadPoolExecutor(N_THREADS, thread_name_prefix="scan") as pool:
        work = [pool.submit(_load_symbol, read, s, timeframes, end) for s in histories.symbols]
        for done, _ in enumerate(as_completed(work), 1):
            if progress is not None:
                progress(done, len(work))
    for symbol, job in zip(histories.symbols, work, strict=True):
        found, daily, errors = job.result()
        histories.bars |= {(symbol, t): bars for t, bars in found.items()}
        histories.errors |= errors
        if daily is not None:
            histories.daily[symbol] = daily
    return histories


def _load_symbol(
    read: Read, symbol: str, timeframes: tuple[Timeframe, ...], end: int | None
) -> tuple[dict[Timeframe, Bars], Bars | None, dict[str, str]]:
    found: dict[Timeframe, Bars] = {}
    errors: dict[str, str] = {}
    daily: Bars | None = None
    for name in DAILY:
        try:
            bars = read(symbol, name, end, max(needed_bars(name), N_BARS))
        except (OpportunityError, ValueError, OSError):
            continue  # a longer timeframe may do; what was asked for is read and told below
        if len(bars):
            daily = bars
            break
    for name in timeframes:
        try:
            if daily is not None and daily.timeframe == name:
                bars = daily[max(0, len(daily) - N_BARS):]
            else:
                bars = read(symbol, name, end, N_BARS)
        except (OpportunityError, ValueError, OSError) as error:
            errors[f"{symbol} {name}"] = str(error)
            continue
        if len(bars):
            found[name] = bars
        else:
            errors[f"{symbol} {name}"] = "no closed bar by the time of the scan"
    return found, daily, _whole(symbol, errors, bool(found))


async def load_feed(
    feed: Feed, symbols: Sequence[str], timeframes: tuple[Timeframe, ...], end: int
) -> Histories:
    """Ask a feed for the history of all streams; symbols outside its universe may do."""
    histories = Histories(feed.source, tuple(symbols), timeframes, base=feed.base)
    faults = feed.faults()
    histories.faults = faults and faults.take(histories.symbols, feed.symbols)
    for symbol in histories.symbols:
        errors: dict[str, str] = {}
        daily = await _feed_bars(feed, symbol, "1h", needed_bars("1h"), end, errors)
        if daily is not None:
            histories.daily[symbol] = daily
        for name in timeframes:
            if name == "1h" and daily is not None:
                histories.bars[symbol, name] = daily[max(0, len(daily) - N_BARS):]
                continue
            bars = await _feed_bars(feed, symbol, name, N_BARS, end, errors)
            if bars is not None:
                histories.bars[symbol, name] = bars
        histories.errors |= _whole(symbol, errors, any((symbol, t) in histories.bars
                                                       for t in timeframes))
    return histories


async def _feed_bars(
    feed: Feed, symbol: str, timeframe: Timeframe, n: int, end: int, errors: dict[str, str]
) -> Bars | None:
    try:
        bars = await feed.history(symbol, timeframe, n, end)
    except (OpportunityError, ValueError, OSError) as error:
        errors[f"{symbol} {timeframe}"] = str(error)
        return None
    return bars if len(bars) else None


def _whole(symbol: str, errors: dict[str, str], found: bool) -> dict[str, str]:
    """Name the symbol alone where nothing was found and every error says the same."""
    if not found and len(set(errors.values())) == 1:
        return {symbol: next(iter(errors.values()))}
    return errors


def wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from synchronous code, also where a loop is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    box: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            box.append(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread below
            errors.append(error)

    thread = threading.Thread(target=work, name="scan")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return box[0]
