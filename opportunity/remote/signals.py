"""Signals as they arrive: the newest of each symbol, and the last ones in their order."""

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = (
    "symbol", "direction", "score", "confidence", "success", "risk_level", "trust", "ts", "source",
)  # fmt: skip

MOST: Final = 1_000
"""Signals that the log keeps."""


class Signals:
    """What the stream said of symbols."""

    def __init__(self) -> None:
        self.newest: dict[str, dict[str, Any]] = {}
        self.log: deque[dict[str, Any]] = deque(maxlen=MOST)

    def take(self, message: Mapping[str, Any]) -> None:
        """Take a message of the channel `signal`."""
        row = {name: message.get(name) for name in COLUMNS}
        row["timeframes"] = dict(message.get("timeframes") or {})
        self.newest[str(row["symbol"])] = row
        self.log.append(row)

    def frame(self) -> "pd.DataFrame":
        """Return the newest signal of each symbol, by symbol; timeframes as columns."""
        import pandas as pd

        rows = [_flat(row) for row in self.newest.values()]
        return _timed(pd.DataFrame(rows, columns=_columns(rows))).set_index("symbol").sort_index()

    def log_frame(self) -> "pd.DataFrame":
        """Return the last signals in the order of their arrival."""
        import pandas as pd

        rows = [_flat(row) for row in tuple(self.log)]  # filled by another thread
        return _timed(pd.DataFrame(rows, columns=_columns(rows)))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in COLUMNS}, **row["timeframes"]}


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))


def _timed(frame: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    frame["ts"] = pd.to_datetime(frame["ts"], unit="ms", utc=True)
    return frame
