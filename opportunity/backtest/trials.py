"""The counter of trials: the best of many is lucky, so how many there were is never forgotten.

Every vector judged on a dataset counts, whoever judged it: a sweep, a search, a slider. The
deflated Sharpe ratio takes their number and how far their Sharpe ratios were apart.

Source: Bailey, López de Prado, "The deflated Sharpe ratio", Journal of Portfolio Management 40,
2014.
"""

import hashlib
import math
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import structlog

from opportunity.backtest.judge import Judge, Verdicts, sharpes
from opportunity.feeds.clock import wall_ms
from opportunity.market.bars import FloatArray
from opportunity.storage.judged import Judged, TrialCount

if TYPE_CHECKING:
    from opportunity.backtest.history import History
    from opportunity.backtest.result import BacktestResult

logger = structlog.get_logger(__name__)


class TrialCounter(Protocol):
    """Counts what was judged, by dataset."""

    def add(self, work: Judged) -> bool:
        """Count work, once: False if the same was counted already."""

    def count(self, dataset: str) -> TrialCount:
        """Return what was ever tried on a dataset."""

    def read(self, dataset: str, limit: int = 100) -> Sequence[Judged]:
        """Return the newest entries, newest first."""


class MemoryTrials:
    """Counts in this process only; for tests and for machines without a data folder."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], Judged] = {}
        self._lock = Lock()

    def add(self, work: Judged) -> bool:
        """Count work, once: False if the same was counted already.

        Raises
        ------
        ValueError
            If it is of no vector.
        """
        if work.n < 1:
            raise ValueError(f"n must be >= 1, was {work.n}")
        with self._lock:
            fresh = (work.dataset, work.key) not in self._entries
            self._entries.setdefault((work.dataset, work.key), work)
        return fresh

    def count(self, dataset: str) -> TrialCount:
        """Return what was ever tried on a dataset."""
        return total(self.read(dataset, limit=len(self._entries) or 1))

    def read(self, dataset: str, limit: int = 100) -> tuple[Judged, ...]:
        """Return the newest entries, newest first."""
        with self._lock:
            mine = [w for w in self._entries.values() if w.dataset == dataset]
        mine.reverse()
        return tuple(sorted(mine, key=lambda w: -w.at)[:limit])


def total(entries: Sequence[Judged]) -> TrialCount:
    """Add entries up, as the database does."""
    if not entries:
        return TrialCount()
    valued = [w for w in entries if w.valued]
    n = sum(w.valued for w in valued)
    scaled = sum(w.valued * w.mean * math.sqrt(w.bars) for w in valued)
    squares = sum((w.squares + w.valued * w.mean**2) * w.bars for w in valued)
    apart = max(squares - scaled**2 / n, 0.0) / (n - 1) if n > 1 else math.nan
    times = [w.at for w in entries]
    return TrialCount(
        sum(w.n for w in entries), max((w.best for w in valued), default=math.nan),
        math.sqrt(apart), min(times), max(times),
    )  # fmt: skip


def judged(
    dataset: str, kind: str, verdicts: Verdicts, cash: float, key: str, at: int | None = None
) -> Judged:
    """Sum up verdicts as the counter keeps them.

    Parameters
    ----------
    dataset : str
        `History.digest`.
    kind : str
        What judged them.
    verdicts : Verdicts
    cash : float
        What each run started with.
    key : str
        `key_of` vectors, terms and span.
    at : int, optional
        ms UTC; defaults to now.
    """
    found = sharpes(verdicts, cash)
    known = found[np.isfinite(found)]
    mean = float(known.mean()) if known.size else math.nan
    return Judged(
        dataset, key, kind, wall_ms() if at is None else at, len(verdicts),
        int(verdicts.tally["n"].max(initial=0)), int(known.size),
        float(known.max()) if known.size else math.nan, mean,
        float(((known - mean) ** 2).sum()) if known.size else 0.0,
    )  # fmt: skip


def count_vectors(
    trials: TrialCounter, kind: str, run: tuple[Any, Judge, int, int], matrix: FloatArray,
    verdicts: Verdicts,
) -> bool:
    """Count vectors that were judged; False where the same work was counted already.

    Parameters
    ----------
    trials : TrialCounter
    kind : str
        What judged them: ``backtest``, ``sweep``, ``search``, ``walk_forward``, ``what_if`` ...
    run : tuple
        History, judge, and the batches from and to which was judged.
    matrix : ndarray, shape (n, n_detectors)
    verdicts : Verdicts
        Of those vectors.
    """
    history, judge, start, end = run
    key = key_of(matrix, judge.key, start, end)
    return trials.add(judged(history.digest, kind, verdicts, judge.cash, key))


def count_run(trials: TrialCounter, history: "History", result: "BacktestResult") -> None:
    """Count a run as one trial of its data: whoever tries often is lucky once."""
    from opportunity.backtest.setup_judge import SetupJudge

    assert result.capsule.weights is not None
    matrix = np.array([list(result.capsule.weights.values())])
    run = (history, SetupJudge(result.setup), history.start_batch, len(history.batches))
    count_vectors(trials, "backtest", run, matrix, Verdicts(result.tally, result.equity[-1:]))


def key_of(matrix: FloatArray, *terms: Any) -> str:
    """Return the digest of vectors and of what they are judged under.

    Vectors that differ by a factor only are the same trial.
    """
    scale = matrix.sum(axis=1, keepdims=True)
    scaled = np.round(matrix / np.where(scale > 0, scale, 1.0), 12)
    whole = hashlib.sha256(np.ascontiguousarray(scaled).tobytes())
    for term in terms:
        whole.update(repr(term).encode())
    return whole.hexdigest()


def open_trials() -> TrialCounter:
    """Return the counter of the database in the settings; in memory, with a warning, without one.

    The database is the server's: what a notebook tries counts there too.
    """
    from opportunity.config import load_settings
    from opportunity.storage.database import DatabaseError, open_database
    from opportunity.storage.trials import TrialRepository

    try:
        settings = load_settings()
        return TrialRepository(open_database(settings.database, settings.home / "backups"))
    except (DatabaseError, OSError) as error:
        logger.warning("trials are counted in memory only", reason=str(error))
        return MemoryTrials()
