"""Shows how a download goes: bars on a terminal, plain lines elsewhere, always on stderr."""

import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final

from app.terminal import visible
from opportunity.feeds.exchange.history.reports import Stream, StreamReport

if TYPE_CHECKING:
    from rich.progress import TaskID

LINE_EVERY_S: Final = 10.0
"""Between two lines of progress where there is no terminal."""


def show(sizes: Mapping[Stream, int]) -> "Lines | Bars":
    """Return what fits to stderr; `sizes` are the bars that each stream has without gaps."""
    return Bars(sizes) if sys.stderr.isatty() else Lines(sizes)


class Rate:
    """Share of the whole that is done, bars that came, and what both mean for the time left."""

    def __init__(
        self, sizes: Mapping[Stream, int], real: Callable[[], float] = time.monotonic
    ) -> None:
        self._real = real
        whole = sum(sizes.values())
        self._weights = {s: n / whole if whole else 0.0 for s, n in sizes.items()}
        self._shares: dict[Stream, float] = {}
        self._started: float | None = None
        self._first = 0.0
        self.n_bars = 0

    def moved(self, stream: Stream, share: float, n_bars: int) -> None:
        """Take a page."""
        if self._started is None:
            self._started = self._real()
        if stream not in self._shares:  # what was there already took no time
            self._first += share * self._weights.get(stream, 0.0) if n_bars == 0 else 0.0
        self._shares[stream] = share
        self.n_bars += n_bars

    @property
    def share(self) -> float:
        """Part of the whole, 0..1."""
        return sum(self._weights.get(s, 0.0) * part for s, part in self._shares.items())

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first page."""
        return 0.0 if self._started is None else self._real() - self._started

    @property
    def bars_s(self) -> float:
        """Bars a second."""
        return self.n_bars / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float:
        """Seconds left, NaN where that cannot be said."""
        done = self.share - self._first
        return self.elapsed_s * (1 - self.share) / done if done > 0.001 else float("nan")

    def text(self) -> str:
        """Word it in one line."""
        left = self.left_s
        told = f", {duration(left)} left" if left == left else ""
        return f"{self.share:.0%}, {self.n_bars:,} bars, {self.bars_s:,.0f} bars/s{told}"


class Lines:
    """A line for each stream that is done, and one in between now and then."""

    def __init__(
        self, sizes: Mapping[Stream, int], real: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._real, self._n = Rate(sizes, real), real, len(sizes)
        self._told, self._n_done = real(), 0

    @property
    def n_bars(self) -> int:
        """Bars that came."""
        return self._rate.n_bars

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        """Leave."""

    def moved(self, stream: Stream, share: float, n_bars: int) -> None:
        """Take a page."""
        self._rate.moved(stream, share, n_bars)
        if self._real() - self._told >= LINE_EVERY_S:
            self._write(f"{self._n_done} of {self._n} streams, {self._rate.text()}")

    def waits(self, stream: Stream, seconds: float, why: str) -> None:
        """Say that it waits."""
        self._write(f"{stream.symbol} {stream.timeframe}: {why}; waiting {duration(seconds)}")

    def finished(self, report: StreamReport) -> None:
        """Say what came of a stream."""
        self._n_done += 1
        self._rate.moved(report.stream, 1.0, 0)
        self._write(f"{self._n_done} of {self._n}: {_result(report)}")

    def _write(self, text: str) -> None:
        self._told = self._real()
        sys.stderr.write(visible(text) + "\n")
        sys.stderr.flush()


class Bars:
    """Progress bars: one for all, one for each stream under way."""

    def __init__(self, sizes: Mapping[Stream, int]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self._rate, self._n_done, self._n = Rate(sizes), 0, len(sizes)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=16),
            TaskProgressColumn(), TextColumn("{task.fields[told]}", markup=False),
            console=Console(stderr=True), transient=True,
        )
        self._all = self._progress.add_task("all", total=1.0, told="")
        self._tasks: dict[Stream, TaskID] = {}

    @property
    def n_bars(self) -> int:
        """Bars that came."""
        return self._rate.n_bars

    def __enter__(self) -> "Bars":
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None = None, error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self._progress.__exit__(kind, error, trace)

    def moved(self, stream: Stream, share: float, n_bars: int) -> None:
        """Take a page."""
        self._rate.moved(stream, share, n_bars)
        if stream not in self._tasks:
            name = f"{stream.symbol} {stream.timeframe}"
            self._tasks[stream] = self._progress.add_task(name, total=1.0, told="")
        self._progress.update(self._tasks[stream], completed=share, told="")
        self._tell()

    def waits(self, stream: Stream, seconds: float, why: str) -> None:
        """Say that it waits."""
        if stream in self._tasks:
            told = f"{visible(why)}; waiting {duration(seconds)}"
            self._progress.update(self._tasks[stream], told=told)

    def finished(self, report: StreamReport) -> None:
        """Let a stream's bar go."""
        self._n_done += 1
        self._rate.moved(report.stream, 1.0, 0)
        task = self._tasks.pop(report.stream, None)
        if task is not None:
            self._progress.remove_task(task)
        if report.error:
            self._progress.console.print(visible(_result(report)), markup=False, highlight=False)
        self._tell()

    def _tell(self) -> None:
        rate = self._rate
        left = f", {duration(rate.left_s)} left" if rate.left_s == rate.left_s else ""
        told = f"{self._n_done} of {self._n} done, {rate.bars_s:,.0f} bars/s{left}"
        self._progress.update(self._all, completed=rate.share, told=told)


def duration(seconds: float) -> str:
    """Word a time: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def _result(report: StreamReport) -> str:
    head = f"{report.stream.symbol} {report.stream.timeframe}"
    if report.error:
        return f"{head}: {report.error}"
    missing = f", {report.missing:,} missing" if report.missing else ""
    return f"{head}: {report.n_bars:,} bars ({report.n_new:,} new{missing})"
