"""What a piece of work costs the processor: unlike time, nearly the same on a busy machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def cpu_under(seconds: float, clock: Callable[[], float] = time.process_time) -> Iterator[None]:
    """Insist that what stands inside costs less; a bound far above what it takes.

    Parameters
    ----------
    seconds : float
    clock : callable
        `time.thread_time` where the work is done on the calling thread.
    """
    began = clock()
    yield
    spent = clock() - began
    assert spent < seconds, f"cost {spent:.2f} s of the processor"
