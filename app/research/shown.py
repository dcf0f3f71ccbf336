"""How long work goes: a bar on a terminal with rate and time left, nothing elsewhere."""

from types import TracebackType
from typing import Any


class Shown:
    """A progress bar on stderr while the work inside runs.

    Parameters
    ----------
    doing : str
        What is under way, in plain words.
    unit : str
        Of the rate, e.g. ``vectors``.
    """

    def __init__(self, doing: str, unit: str = "") -> None:
        self._doing, self._unit = doing, unit
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Shown":
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        columns: list[Any] = [SpinnerColumn(), TextColumn("{task.description}")]
        if self._unit:
            columns += [BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"),
                        TextColumn("left"), TimeRemainingColumn()]
        self._bar = Progress(*columns, TimeElapsedColumn(), console=console, transient=True,
                             disable=not console.is_terminal)
        self._bar.start()
        self._task = self._bar.add_task(self._doing, total=None, rate="")
        return self

    def tell(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        elapsed = self._bar.tasks[0].elapsed or 0.0
        rate = f"{done / elapsed:,.0f} {self._unit}/s" if elapsed > 0 and done else ""
        self._bar.update(self._task, completed=done, total=total, rate=rate)

    def now(self, doing: str, unit: str) -> None:
        """Show that something else is under way; rate and time left begin anew."""
        self._unit = unit
        self._bar.reset(self._task, description=doing, total=None, rate="")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._bar.stop()
