"""One pass over symbols x timeframes of stored data, bars in memory or a feed's history.

The bars run through the same `Streams` and `evaluate` as live ones, so a scan of a recorded
market as of some time ranks it as the agent would have.
"""

import os
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from opportunity.errors import unknown
from opportunity.feeds.base import Feed
from opportunity.feeds.record_folder import FolderRecords
from opportunity.live.calibrate import CalibrationLike, wanted_calibration
from opportunity.live.histories import (
    N_BARS,
    Held,
    Histories,
    Progress,
    load,
    load_feed,
    memory_reader,
    store_reader,
    wait_for,
)
from opportunity.live.recall import RecordSource, recall, recall_feed
from opportunity.live.scan_report import ScanReport, stale_streams
from opportunity.live.streams import Streams
from opportunity.market.bars import Bars
from opportunity.market.figures import DayFigures
from opportunity.market.store import BarStore
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import DAY_MS, Timeframe, length_ms
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.calibration import Calibration
from opportunity.scoring.drawdown import drawdown_rank
from opportunity.scoring.ensemble import WeightsLike
from opportunity.scoring.rules import Rules
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.strategy import ScanRules, evaluate

Each = Literal["each"]
At = int | Each | None
Source = BarStore | Feed | Held | str | os.PathLike[str]

TIMEFRAMES: Final[tuple[Timeframe, ...]] = ("1h", "4h", "1d")


def scan(
    source: Source,
    symbols: Sequence[str] | None = None,
    timeframes: Sequence[str] = TIMEFRAMES,
    weights: WeightsLike | None = None,
    rules: ScanRules | Rules | None = None,
    at: At = None,
    progress: Progress | None = None,
    calibration: CalibrationLike = "saved",
    observations: RecordSource | None = None,
) -> ScanReport:
    """Score and rank symbols from their newest closed bars.

    Parameters
    ----------
    source : BarStore, path, mapping or Feed
        A store or its folder; bars by symbol (one `Bars` or several timeframes of them); or a
        feed, whose history is asked for. What is not there is resampled.
    symbols : sequence of str, optional
        Defaults to all that the source has.
    timeframes : sequence of str
        Timeframes to score.
    weights : Weights, mapping or ndarray, optional
        Defaults to balanced.
    rules : ScanRules or Rules, optional
        Defaults to `ScanRules()`.
    at : int, "each" or None
        As of when, ms UTC: only bars that closed by then are read. None is the newest close
        in the source. Streams whose last bar closed more than two bars earlier are listed as
        stale and not ranked. With ``each`` every symbol is judged at its own last bar.
    progress : callable, optional
        Hears of (done, all) symbols read.
    calibration : Calibration, "saved" or None
        Gives `success` where it fits these weights, bars and time. ``saved`` is the one that
        `calibrate` has left in the data folder.
    observations : FolderRecords or iterable of records, optional
        What was known besides bars. By default what lies beside a store's exchange folder, and
        what a feed tells.

    Returns
    -------
    ScanReport

    Raises
    ------
    ValueError
        If a timeframe or rule is unknown, or `at` is neither a time nor ``each``.
    CoverageError
        If the folder holds no bars.

    Notes
    -----
    Streams are scored from their last 1,000 bars, as the agent's are when it starts.
    """
    began = clock.perf_counter()
    frames, end = _frames(timeframes), _end(at)
    if isinstance(source, Feed):
        return wait_for(scan_feed(source, symbols, frames, weights, rules, at, calibration))
    if isinstance(source, Mapping):
        read, known = memory_reader(source), [parse_symbol(s) for s in source]
        label = next((b.source for b in _all(source) if b.source), "memory")
    else:
        store = source if isinstance(source, BarStore) else BarStore(Path(source))
        read, known, label = store_reader(store), store.symbols(), store.exchange
    wanted, errors = _wanted(symbols, known, label)
    histories = load(read, label, wanted, frames, end, progress)
    histories.errors |= errors
    if observations is None and not isinstance(source, Mapping):
        observations = FolderRecords(store.folder.parent)
    if observations is not None:
        _remember(histories, observations, end)
    found = wanted_calibration(calibration)
    return judge(histories, weights, rules, at if at == "each" else end, began, found)


async def scan_feed(
    feed: Feed,
    symbols: Sequence[str] | None = None,
    timeframes: Sequence[str] = TIMEFRAMES,
    weights: WeightsLike | None = None,
    rules: ScanRules | Rules | None = None,
    at: At = None,
    calibration: CalibrationLike = "saved",
) -> ScanReport:
    """Scan a feed's history on the feed's own loop; see `scan`.

    The judging runs on the calling loop too: call `load_feed` and `judge` where that matters.
    """
    began = clock.perf_counter()
    end = _end(at)
    wanted, errors = _wanted(symbols, feed.symbols, feed.name)
    now = feed.clock.now() if end is None else end
    histories = await load_feed(feed, wanted, _frames(timeframes), now)
    histories.errors |= errors
    histories.observers = await recall_feed(feed, wanted, now)
    if end is not None:
        histories.faults = None  # they are of now
    found = wanted_calibration(calibration)
    return judge(histories, weights, rules, at if at == "each" else end, began, found)


def _remember(histories: Histories, source: RecordSource, end: int | None) -> None:
    """Give the histories what was known at their ends; a file that breaks a rule costs that."""
    ends = [int(bars.close_time[-1]) for bars in histories.bars.values()]
    if not ends:
        return
    last = max(ends) if end is None else end
    try:
        histories.observers = recall(source, histories.symbols, min(min(ends), last), last)
    except ValueError as error:
        histories.errors["records"] = str(error)


def judge(
    histories: Histories,
    weights: WeightsLike | None,
    rules: ScanRules | Rules | None,
    at: At,
    began: float,
    calibration: Calibration | None = None,
) -> ScanReport:
    """Score, check and rank what was loaded; `began` is the `perf_counter` of the start."""
    snapshot = _snapshot(histories)
    each = at == "each"
    if isinstance(at, int) or each:
        snapshot = snapshot.as_of(at if isinstance(at, int) else None)
    if histories.faults is not None:
        faults = histories.faults.take(snapshot.symbols, histories.symbols)
        snapshot = snapshot.blamed(faults, histories.base)
    old = snapshot.stale() & (not each)
    evaluation = evaluate(
        snapshot if each else snapshot.fresh(), weights, rules, calibration=calibration
    )
    names = [(s, t) for s in snapshot.symbols for t in snapshot.timeframes]
    silent = np.isnan(evaluation.combined.net) & ~old & (snapshot.closed > 0)
    return ScanReport(
        time=snapshot.time,
        each=each,
        evaluation=evaluation,
        stale=() if each else stale_streams(snapshot),
        unscored=tuple(
            (*names[i], len(histories.bars[names[i]])) for i in np.flatnonzero(silent).tolist()
        ),
        errors=dict(histories.errors),
        duration_ms=(clock.perf_counter() - began) * 1e3,
    )


def _snapshot(histories: Histories) -> MarketSnapshot:
    """Run the bars through fresh streams and add the figures of the day."""
    names = tuple(s for s in histories.symbols if s in histories.daily or any(
        (s, t) in histories.bars for t in histories.timeframes
    ))
    known = histories.observers
    streams = Streams(
        names, histories.timeframes, "1m", histories.source,
        observers=known and known.view(names),
    )
    try:
        for timeframe in histories.timeframes:
            time, values = _padded([histories.bars.get((s, timeframe)) for s in names])
            if values.size:
                streams.warm(timeframe, time, values)
        snapshot = streams.snapshot(DayFigures(len(names), "1h"))
    finally:
        streams.close()
    figures = np.array([_figures(histories, s) for s in names]).reshape(len(names), 4)
    price, change, volume, drawdown = figures.T.copy()
    snapshot = replace(snapshot, price=price, change_24h=change, volume_24h=volume,
                       drawdown_rank=drawdown)
    return snapshot if histories.live is None else snapshot.with_figures(histories.live)


def _figures(histories: Histories, symbol: str) -> tuple[float, float, float, float]:
    """Price, change, value and drawdown rank; the price is the newest close of all that was read.

    The figures of the day come from bars of 1h or longer, or else from the shortest there are.
    """
    frames = [t for t in histories.timeframes if (symbol, t) in histories.bars]
    held = [histories.bars[symbol, t] for t in sorted(frames, key=length_ms)]
    daily = histories.daily.get(symbol)
    whole = held[0] if daily is None else daily
    newest = max([whole, *held], key=lambda bars: int(bars.close_time[-1]))
    price = float(newest.close[-1])
    rank = float("nan") if daily is None else drawdown_rank(daily)
    return price, *day_figures(whole, price), rank


def _padded(several: list[Bars | None]) -> tuple[Any, Any]:
    """Stack bars of different lengths, aligned at their ends and padded with NaN in front."""
    n = max((len(b) for b in several if b is not None), default=0)
    time = np.zeros((len(several), n), np.int64)
    values = np.full((len(several), n, 5), np.nan)
    for row, bars in enumerate(several):
        if bars is not None and len(bars):
            kept = bars[max(0, len(bars) - N_BARS):]
            time[row, n - len(kept):] = kept.time
            values[row, n - len(kept):] = kept.values
    return time, values


def day_figures(bars: Bars, price: float) -> tuple[float, float]:
    """Return the change up to `price` as a fraction and the traded value, over 24 hours.

    They end with the last bar; the value of a bar is its volume at its close. Bars longer than a
    day cannot tell: both are NaN.
    """
    if bars.timeframe is None or length_ms(bars.timeframe) > DAY_MS:
        return float("nan"), float("nan")
    fresh = bars.time > bars.time[-1] + length_ms(bars.timeframe) - DAY_MS - 1
    opened = float(bars.open[fresh][0])
    return price / opened - 1, float((bars.close * bars.volume)[fresh].sum())


def _frames(timeframes: Sequence[str]) -> tuple[Timeframe, ...]:
    if isinstance(timeframes, str) or not timeframes:
        raise ValueError(f"timeframes must be a list of one or more, was {timeframes!r}")
    return tuple(dict.fromkeys(checked(t) for t in timeframes))


def _end(at: At) -> int | None:
    if at is None or at == "each":
        return None
    if isinstance(at, bool) or not isinstance(at, (int, np.integer)):
        raise ValueError(f"at must be a time in ms UTC or 'each', was {at!r}")
    return int(at)


def _wanted(
    symbols: Sequence[str] | None, known: Sequence[str], label: str
) -> tuple[list[str], dict[str, str]]:
    """Split what was asked for into what the source has and errors for the rest."""
    if symbols is None:
        return list(dict.fromkeys(known)), {}
    wanted, errors, there = [], {}, set(known)
    for text in symbols:
        try:
            symbol = parse_symbol(text)
        except ValueError as error:
            errors[text] = str(error)
            continue
        if symbol in there:
            wanted.append(symbol)
        else:
            errors[symbol] = unknown(f"symbol of {label}", symbol, sorted(there)[:20])
    return list(dict.fromkeys(wanted)), errors


def _all(held: Held) -> list[Bars]:
    several: list[Bars] = []
    for given in held.values():
        several.extend([given] if isinstance(given, Bars) else given)
    return several
