"""What research is done with besides data: where it works, who counts, who is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from opportunity.backtest.cluster import Executor, Threads, executor
from opportunity.backtest.judge import Progress, Stop
from opportunity.backtest.study import StudyStore
from opportunity.backtest.trials import MemoryTrials, TrialCounter, open_trials


@dataclass(frozen=True, slots=True)
class Means:
    """Where and under whose eyes research is done.

    Parameters
    ----------
    at : Executor
        Threads of this machine, or a cluster.
    trials : TrialCounter
        Counts every vector.
    studies : StudyStore, optional
        Where named studies are kept.
    progress : callable, optional
        Called with vectors (or pieces) done and in all.
    stop : callable, optional
        True ends the work with `CancelledError`.
    """

    at: Executor = field(default_factory=Threads)
    trials: TrialCounter = field(default_factory=MemoryTrials)
    studies: StudyStore | None = None
    progress: Progress | None = None
    stop: Stop | None = None

    def quietly(self) -> "Means":
        """Return the same without progress, for parts of a larger work."""
        return replace(self, progress=None)


@contextmanager
def means_of(
    cluster: str | None = None, threads: int | None = None, trials: TrialCounter | None = None,
    progress: Progress | None = None, stop: Stop | None = None,
) -> Iterator[Means]:
    """Open what was not given, and close it again.

    Without a counter, the database of the settings counts and keeps the studies.

    Raises
    ------
    ClusterError
        If the cluster does not answer.
    """
    from opportunity.storage.trials import TrialRepository

    counter = open_trials() if trials is None else trials
    studies = counter.studies() if isinstance(counter, TrialRepository) else None
    try:
        at = executor(cluster, threads)
        try:
            yield Means(at, counter, studies, progress, stop)
        finally:
            at.close()
    finally:
        if trials is None and isinstance(counter, TrialRepository):
            counter.close()
