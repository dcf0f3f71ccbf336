"""`calibrate`: score recorded bars, see how calls turned out, learn what a score is worth."""

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import structlog

from opportunity.config import load_settings
from opportunity.errors import CalibrationError, CoverageError, OpportunityError
from opportunity.feeds.record_folder import FolderRecords
from opportunity.live.histories import Held, Progress, Read, memory_reader, store_reader
from opportunity.live.observers import Observers
from opportunity.live.recall import RecordSource, recall
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import Timeframe
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.calibration import FILE, Calibration, calibrated
from opportunity.scoring.calibrator import Method
from opportunity.scoring.calls import Calls, pooled
from opportunity.scoring.ensemble import WeightsLike, collect, weight_array
from opportunity.scoring.past import keep
from opportunity.scoring.walk_forward import STEP_BARS

logger = structlog.get_logger(__name__)

TIMEFRAMES: Final[tuple[Timeframe, ...]] = ("1h", "4h", "1d")
N_THREADS: Final = 2
ALL_BARS: Final = 10_000_000
"""More bars than any history has."""

Saved = Literal["saved"]
CalibrationLike = Calibration | Saved | None
"""A calibration, the one in the data folder if it fits, or none."""


def calibrate(
    source: BarStore | Bars | Held | str | os.PathLike[str],
    symbols: Sequence[str] | None = None,
    timeframes: Sequence[str] = TIMEFRAMES,
    weights: WeightsLike | None = None,
    method: Method = "isotonic",
    n_bars: int | None = None,
    at: int | None = None,
    step: int = STEP_BARS,
    save: bool = True,
    progress: Progress | None = None,
    observations: RecordSource | None = None,
) -> Calibration:
    """Learn from recorded bars how often scores were right.

    Parameters
    ----------
    source : BarStore, path, Bars or mapping
        A store or its folder, bars that carry their symbol, or bars by symbol (one `Bars` or
        several timeframes of them). What is not there is resampled.
    symbols : sequence of str, optional
        Whose calls are pooled; defaults to all that the source has.
    timeframes : sequence of str
        Each gets a calibrator of its own.
    weights : Weights, mapping or ndarray, optional
        Those that will be used; defaults to balanced.
    method : {"isotonic", "logistic"}
        See `scoring.calibrator`.
    n_bars : int, optional
        Only the newest so many bars of each stream; defaults to all.
    at : int, optional
        Only bars that closed by then, ms UTC.
    step : int
        Bars between two fits of the walk-forward that measures.
    save : bool
        Write `calibration.json` to the data folder, where scans and the server find it. Nothing
        is written when no timeframe could be calibrated.
    progress : callable, optional
        Hears of (done, all) streams.
    observations : FolderRecords or iterable of records, optional
        What was known besides bars. By default what lies beside a store's exchange folder, as
        for `scan`: detectors that read it change what a score is worth.

    Returns
    -------
    Calibration
        `calibrators` by timeframe, `measured` before and after, `refused` and `errors`.

    Raises
    ------
    ValueError
        If a timeframe, method or number is unknown or out of its range, or bars carry no symbol.
    CoverageError
        If no stream could be read.

    Notes
    -----
    About 2 s for 60,000 bars, and 1 s for a symbol with years of headlines. A symbol whose
    records break a rule is left out and told.
    """
    if isinstance(timeframes, str) or not timeframes:
        raise ValueError(f"timeframes must be a list of one or more, was {timeframes!r}")
    if n_bars is not None and n_bars < 1:
        raise ValueError(f"n_bars must be >= 1, was {n_bars}")
    frames = tuple(dict.fromkeys(checked(t) for t in timeframes))
    read, known, label, beside = _reader(source)
    told_of = beside if observations is None else observations
    names = known if symbols is None else list(dict.fromkeys(parse_symbol(s) for s in symbols))
    held = weight_array(weights)
    scoring = _Scoring(read, frames, at, n_bars or ALL_BARS, held, told_of)
    calls, errors = _calls(scoring, names, progress)
    if not calls:
        first = next(iter(errors.values()), "there are no bars")
        raise CoverageError(f"no stream could be read to calibrate: {first}")
    told = sorted({symbol for frame in calls.values() for symbol in frame})
    found = calibrated(
        {t: pooled(list(by_symbol.values())) for t, by_symbol in calls.items()},
        held, label, told, method, step,
    )
    found.errors.update(errors)
    if save and found.calibrators:
        found.save(calibration_path())
    return found


def calibration_path(home: Path | None = None) -> Path:
    """Return where the calibration is kept; `home` defaults to the data folder of the settings."""
    return (load_settings().home if home is None else home) / FILE


def saved_calibration(home: Path | None = None) -> Calibration | None:
    """Return the calibration kept in the data folder; None without one that can be read."""
    path = calibration_path(home)
    try:
        return Calibration.load(path)
    except CalibrationError as error:
        logger.warning("calibration unreadable", path=path.name, error=str(error))
        return None


def wanted_calibration(given: CalibrationLike) -> Calibration | None:
    """Return `given`, looked up where it says ``saved``.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if given is None or isinstance(given, Calibration):
        return given
    if given != "saved":
        raise ValueError(f"calibration must be a Calibration, 'saved' or None, was {given!r}")
    return saved_calibration()


def _reader(
    source: BarStore | Bars | Held | str | os.PathLike[str],
) -> tuple[Read, list[str], str, RecordSource | None]:
    if isinstance(source, Bars):
        if not source.symbol:
            raise ValueError("bars must carry a symbol to be calibrated, was ''")
        source = {source.symbol: source}
    if isinstance(source, Mapping):
        several = [[b] if isinstance(b, Bars) else list(b) for b in source.values()]
        label = next((b.source for bars in several for b in bars if b.source), "memory")
        return memory_reader(source), list(dict.fromkeys(map(parse_symbol, source))), label, None
    store = source if isinstance(source, BarStore) else BarStore(Path(source))
    beside = FolderRecords(store.folder.parent)
    return store_reader(store), store.symbols(), store.exchange, beside


@dataclass(frozen=True, slots=True)
class _Scoring:
    """How the streams of a symbol become calls."""

    read: Read
    frames: Sequence[Timeframe]
    at: int | None
    n_bars: int
    weights: WeightsLike
    records: RecordSource | None
    turn: threading.Lock = field(default_factory=threading.Lock)

    def calls(self, symbol: str) -> dict[Timeframe, Calls | str]:
        """Return the calls of each timeframe, or why there are none."""
        found: dict[Timeframe, Calls | str] = {}
        several: dict[Timeframe, Bars] = {}
        for frame in self.frames:
            try:
                bars = self.read(symbol, frame, self.at, self.n_bars)
                several[frame] = bars.label(symbol=symbol, timeframe=frame)
            except (OpportunityError, ValueError, KeyError, OSError) as error:
                found[frame] = str(error)
        try:
            known = self._known(symbol, [bars for bars in several.values() if len(bars)])
            for frame, bars in several.items():
                seen = collect(bars, observations=None if known is None else known.observed(bars))
                found[frame] = keep(seen).calls(self.weights)
        except (OpportunityError, ValueError, OSError) as error:
            found |= {frame: str(error) for frame in several if frame not in found}
        return found

    def _known(self, symbol: str, several: Sequence[Bars]) -> Observers | None:
        if self.records is None or not several:
            return None
        first = min(int(bars.close_time[0]) for bars in several)
        last = max(int(bars.close_time[-1]) for bars in several)
        with self.turn:  # a folder reads its files when they are first asked for
            return recall(self.records, (symbol,), first, last)


def _calls(
    scoring: _Scoring, symbols: Sequence[str], progress: Progress | None
) -> tuple[dict[Timeframe, dict[str, Calls]], dict[str, str]]:
    """Score every stream; return its calls by timeframe and symbol, and what went wrong."""
    calls: dict[Timeframe, dict[str, Calls]] = {t: {} for t in scoring.frames}
    errors: dict[str, str] = {}
    n_frames = len(scoring.frames)
    with ThreadPoolExecutor(N_THREADS, thread_name_prefix="calibrate") as pool:
        work = [pool.submit(scoring.calls, symbol) for symbol in symbols]
        for done, _ in enumerate(as_completed(work), 1):
            if progress is not None:
                progress(done * n_frames, len(work) * n_frames)
    for symbol, job in zip(symbols, work, strict=True):
        for frame, found in job.result().items():
            if isinstance(found, str):
                errors[f"{symbol} {frame}"] = found
            else:
                calls[frame][symbol] = found
    return {t: by_symbol for t, by_symbol in calls.items() if by_symbol}, errors
