"""A backtest that runs on the server: watched, waited for, stopped, read."""

from typing import TYPE_CHECKING, Any, Final

import param

from opportunity.remote.line import Line
from opportunity.remote.loop import Loop
from opportunity.remote.problems import RemoteError
from opportunity.shared import Shared

if TYPE_CHECKING:
    import pandas as pd

ENDED: Final = frozenset({"done", "failed", "cancelled"})
LOOK_S: Final = 0.5
"""Between two looks at a job, seconds."""


class RemoteJob(Shared):
    """A job of the server; its parameters follow it as long as somebody waits for it."""

    state = param.String("queued", doc="queued, running, done, failed, cancelled (read only).")
    progress = param.Number(0.0, bounds=(0, 1), doc="Part that is done (read only).")
    doing = param.String("", doc="What is under way (read only).")
    error = param.String("", doc="Why it failed; empty otherwise (read only).")
    left_s = param.Number(None, allow_None=True, doc="Seconds left, at this rate (read only).")

    def __init__(self, line: Line, loop: Loop, id: str) -> None:
        super().__init__()
        self.id = id
        """Of the job on the server."""
        self._line, self._loop = line, loop
        self._found: dict[str, Any] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in ENDED

    def refresh(self) -> "RemoteJob":
        """Ask how it goes; return itself."""
        self._take(self._loop.run(self._line.get(f"/api/backtest/jobs/{self.id}")))
        return self

    def wait(self, timeout_s: float = 600.0) -> "RemoteJob":
        """Wait until it is over, looking twice a second; return itself.

        Raises
        ------
        TimeoutError
            If it takes longer; it goes on.
        """
        from threading import Event
        from time import monotonic

        end, pause = monotonic() + timeout_s, Event()
        while not self.refresh().ended:
            if monotonic() > end:
                raise TimeoutError(f"job {self.id} must end within {timeout_s:g} s, did not")
            pause.wait(LOOK_S)
        return self

    async def done(self) -> "RemoteJob":
        """Await its end on the caller's loop; return itself."""
        import asyncio

        while True:
            self._take(await self._loop.here(self._line.get(f"/api/backtest/jobs/{self.id}")))
            if self.ended:
                return self
            await asyncio.sleep(LOOK_S)

    def cancel(self) -> None:
        """Stop it."""
        answer = self._loop.run(self._line.ask("DELETE", f"/api/backtest/jobs/{self.id}"))
        self._take(answer.value)

    def result(self, points: int = 2_000, trades: int = 1_000) -> dict[str, Any]:
        """Return what came of it, as the server tells it; waits for its end.

        Raises
        ------
        RemoteError
            If it failed or was stopped.
        """
        if self._found is None:
            if not self.ended:
                self.wait()
            path = f"/api/backtest/results/{self.id}"
            self._found = self._loop.run(self._line.get(path, points=points, trades=trades))
        assert self._found is not None
        return self._found

    @property
    def metrics(self) -> dict[str, Any]:
        """What it was worth; waits for its end."""
        found: dict[str, Any] = self.result()["metrics"]
        return found

    def equity(self) -> "pd.Series[float]":
        """Return cash and what is held at the closes of bars, by UTC time; waits for its end."""
        import pandas as pd

        points = self.result()["equity_series"]
        index = pd.to_datetime([p["ts"] for p in points], unit="ms", utc=True)
        return pd.Series([p["equity"] for p in points], index=index, name="equity")

    def trades(self) -> "pd.DataFrame":
        """Return its trades; waits for its end."""
        import pandas as pd

        frame = pd.DataFrame(self.result()["trades"])
        for name in ("entry_ts", "exit_ts"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        return frame

    def _take(self, status: Any) -> None:
        if not isinstance(status, dict):
            raise RemoteError(f"job {self.id} must be told as an object, was not")
        self.param.update(
            state=status["state"], progress=status["progress"], doing=status.get("doing") or "",
            left_s=status.get("left_s"), error=(status.get("error") or {}).get("detail") or "",
        )
