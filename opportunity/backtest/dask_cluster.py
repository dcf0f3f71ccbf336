"""Work on pieces on a Dask cluster, whatever becomes of its workers.

What all pieces need travels once; a piece whose worker died is worked again elsewhere.
"""

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import structlog

from opportunity.backtest.cluster import LOOK_S, Data, Piece, Result, ended
from opportunity.backtest.extras import needed
from opportunity.backtest.judge import CancelledError, Progress, Stop
from opportunity.errors import OpportunityError

logger = structlog.get_logger(__name__)

ATTEMPTS: Final = 3
"""Times that one piece is worked before its failure is the caller's."""

SCHEMES: Final = ("tcp", "tls", "ws", "wss", "ucx", "inproc")

CONNECT_S: Final = 10.0
"""How long to wait for a scheduler to answer."""


class ClusterError(OpportunityError):
    """Raised when a cluster cannot be reached, has no worker left, or loses a piece repeatedly."""

    @property
    def passing(self) -> bool:
        """A cluster may be back later."""
        return True


class Cluster:
    """Works pieces on a Dask cluster.

    The data is scattered to every worker once. When a worker dies, Dask works its pieces
    elsewhere; when the last copy of the data died with it, the data is scattered again and the
    pieces that were lost are submitted again. Workers must have this package of the same version.

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://host:port``.
    patience_s : float
        How long to wait for a first or a new worker, s.

    Raises
    ------
    ClusterError
        If the address is not one, or the scheduler does not answer.
    """

    def __init__(self, address: str, patience_s: float = 30.0) -> None:
        needed("distributed")
        from distributed import Client

        if address.partition("://")[0] not in SCHEMES:
            raise ClusterError(f"cluster must be tcp://host:port, was {address!r}")
        self._patience_s = patience_s
        try:
            self._client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterError(f"cluster must be reachable, was not: {address}") from error

    def map(
        self, task: Callable[[Data, Piece], Result], data: Data, pieces: Sequence[Piece],
        progress: Progress | None = None, stop: Stop | None = None,
    ) -> list[Result]:
        """Return `task(data, piece)` of every piece, in their order.

        Raises
        ------
        CancelledError
            If `stop` said so; pieces that had not begun are not worked.
        ClusterError
            If there is no worker for as long as the patience, or a piece was lost `ATTEMPTS`
            times.
        """
        return _Run(self._client, self._patience_s, task, data, pieces).all(progress, stop)

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Run:
    """One `map` on a cluster: what is under way, and what was lost how often."""

    def __init__(
        self, client: Any, patience_s: float, task: Callable[[Any, Any], Any], data: Any,
        pieces: Sequence[Any],
    ) -> None:
        self._client, self._patience_s, self._task = client, patience_s, task
        self._data, self._pieces = data, pieces
        self._attempts = [0] * len(pieces)
        self._left: dict[Any, int] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._held: Any = None
        self._seen = monotonic()  # when a worker was last there

    def all(self, progress: Progress | None, stop: Stop | None) -> list[Any]:
        results: list[Any] = [None] * len(self._pieces)
        lost = list(range(len(self._pieces)))
        try:
            while self._left or lost:
                if stop is not None and stop():
                    raise CancelledError("work was cancelled")
                self._mind_workers()
                if lost and not self._submit(lost):
                    continue
                lost = []
                for future in self._ended():
                    i = self._left.pop(future)
                    if not self._collect(future, i, results):
                        lost.append(i)
                    elif progress is not None:
                        n = len(self._pieces)
                        progress(n - len(self._left) - len(lost), n)
        finally:
            if self._left:
                self._client.cancel(list(self._left))
            self._left.clear()
            self._held = None
        return results

    def _ended(self) -> list[Any]:
        """Wait a little for pieces that came to an end, whatever that was."""
        return [future for future in ended(self._done) if future in self._left]

    def _mind_workers(self) -> None:
        """Give up after a while without any worker."""
        if self._client.scheduler_info(n_workers=1).get("workers"):
            self._seen = monotonic()
        elif monotonic() - self._seen > self._patience_s:
            raise ClusterError(f"cluster must have a worker, had none for {self._patience_s:g} s")

    def _submit(self, which: Sequence[int]) -> bool:
        """Scatter the data, unless that was done, and submit pieces; False: try later."""
        if self._held is None:
            try:
                # Without a hash of the content each scattering has a key of its own: a lost one
                # is never mistaken for the new one.
                self._held = self._client.scatter(
                    self._data, broadcast=True, hash=False, timeout=LOOK_S * 5
                )
            except TimeoutError:
                return False  # no worker at the moment
        for i in which:
            self._attempts[i] += 1
            if self._attempts[i] > ATTEMPTS:
                raise ClusterError(f"piece {i} must come back, was lost {ATTEMPTS} times")
            if self._attempts[i] > 1:
                logger.warning("piece lost with its worker", piece=i, attempt=self._attempts[i])
            future = self._client.submit(
                self._task, self._held, self._pieces[i], pure=False, key=None
            )
            self._left[future] = i
            future.add_done_callback(self._done.put)
        return True

    def _collect(self, future: Any, i: int, results: list[Any]) -> bool:
        """Take a result; False when it was lost. Errors of the task itself are raised."""
        from concurrent.futures import CancelledError as Lost

        from distributed import KilledWorker

        try:
            results[i] = future.result(timeout=self._patience_s)
        except (Lost, KilledWorker, TimeoutError, OSError):
            self._held = None  # the data died too: Dask itself works pieces again while it is there
            return False
        return True
