"""Work on pieces: on the threads of this machine, or on a Dask cluster.

Both give the same results in the same order.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar

from opportunity.backtest.judge import CancelledError, Judge, Progress, Stop, Verdicts, join
from opportunity.market.bars import FloatArray

if TYPE_CHECKING:
    from opportunity.backtest.dask_cluster import Cluster

Data = TypeVar("Data")
Piece = TypeVar("Piece")
Result = TypeVar("Result")

LOOK_S: Final = 0.2
"""How often a wait looks whether somebody asked to stop."""

PIECE: Final = 128
"""Vectors of one piece: their accounts stay in a cache, and little is lost with a worker."""

PORTFOLIO: Final = 8
"""The same of several symbols, where every vector is a run of the engine by itself: a piece that
has begun is finished, and whoever asks to stop shall not wait for long."""


class Executor(Protocol):
    """Where pieces are worked."""

    def map(
        self, task: Callable[[Data, Piece], Result], data: Data, pieces: Sequence[Piece],
        progress: Progress | None = None, stop: Stop | None = None,
    ) -> list[Result]:
        """Return `task(data, piece)` of every piece, in their order."""

    def close(self) -> None:
        """Let go of what is held."""


class Threads:
    """Works pieces on threads of this process; kernels let go of the interpreter lock.

    Parameters
    ----------
    n : int, optional
        Threads; defaults to the processors that this process may use.

    Raises
    ------
    ValueError
        If `n` is below 1.
    """

    def __init__(self, n: int | None = None) -> None:
        self.n = len(os.sched_getaffinity(0)) if n is None else n
        if self.n < 1:
            raise ValueError(f"threads must be >= 1, was {n}")

    def map(
        self, task: Callable[[Data, Piece], Result], data: Data, pieces: Sequence[Piece],
        progress: Progress | None = None, stop: Stop | None = None,
    ) -> list[Result]:
        """Return `task(data, piece)` of every piece, in their order.

        Raises
        ------
        CancelledError
            If `stop` said so; pieces that had not begun are not worked.
        """
        results: list[Any] = [None] * len(pieces)
        # `wait` would look at every future each time: with thousands it costs more than the work.
        ends: SimpleQueue[Future[Any]] = SimpleQueue()
        with ThreadPoolExecutor(self.n, thread_name_prefix="judge") as pool:
            left = {pool.submit(task, data, piece): i for i, piece in enumerate(pieces)}
            for future in tuple(left):
                future.add_done_callback(ends.put)
            try:
                while left:
                    if stop is not None and stop():
                        raise CancelledError("work was cancelled")
                    done = ended(ends)
                    for future in done:
                        results[left.pop(future)] = future.result()
                    if done and progress is not None:
                        progress(len(pieces) - len(left), len(pieces))
            finally:
                for future in left:
                    future.cancel()
        return results

    def close(self) -> None:
        """Do nothing: threads end with each `map`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ended(ends: "SimpleQueue[Any]") -> list[Any]:
    """Wait a little for what came to an end, and return all of it."""
    found = []
    with suppress(Empty):
        found.append(ends.get(timeout=LOOK_S))
        while True:
            found.append(ends.get_nowait())
    return found


def executor(cluster: str | None = None, threads: int | None = None) -> "Threads | Cluster":
    """Return where to work: threads of this machine, or the cluster at an address.

    Raises
    ------
    ClusterError
        If the cluster does not answer.
    """
    if cluster is None:
        return Threads(threads)
    from opportunity.backtest.dask_cluster import Cluster

    return Cluster(cluster)


Chunk = tuple[FloatArray, int, int]
"""Vectors and the batches they are judged on."""


def judge_chunk(data: tuple[Judge, Any], chunk: Chunk) -> Verdicts:
    """Judge one chunk; `data` is the judge and the history."""
    judge, history = data
    return judge(history, *chunk)


def judge_all(
    judge: Judge, history: Any, chunks: Sequence[Chunk], at: Executor,
    progress: Progress | None = None, stop: Stop | None = None,
) -> list[Verdicts]:
    """Judge every chunk, cut into pieces; one Verdicts for each chunk.

    Vectors are judged each by itself, so neither the cut nor the place changes a bit of them.
    """
    size = PORTFOLIO if len(getattr(history, "symbols", ())) > 1 else PIECE
    pieces: list[Chunk] = []
    counts = []
    for matrix, start, end in chunks:
        cut = [(matrix[i : i + size], start, end) for i in range(0, len(matrix), size)]
        counts.append(len(cut))
        pieces += cut
    found = iter(at.map(judge_chunk, (judge, history), pieces, progress, stop))
    return [join([next(found) for _ in range(n)]) for n in counts]
