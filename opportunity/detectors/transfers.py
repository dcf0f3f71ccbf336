"""Large transfers of one coin on its chain, and what they say of it at any time.

A coin that goes to an exchange may be sold there, one that leaves it is kept: that is the usual
reading, and all that is claimed. Transfers between exchanges, or between unknown ends, say
nothing of the side; they only tell how large a transfer usually is.
"""

import math
from typing import Any, Final

import numpy as np

from opportunity.detectors.print_sizes import MOST_AMOUNT
from opportunity.kernels import kernel
from opportunity.market.asof import AsOf
from opportunity.market.bars import FloatArray
from opportunity.market.observations import Transfer
from opportunity.market.timeframe import DAY_MS, HOUR_MS, WEEK_MS, TimeArray

COLUMNS: Final = (
    "transfer_value", "transfer_freshness", "pin_side", "pin_amount", "pin_quality",
)  # fmt: skip

WINDOW_MS: Final = 30 * DAY_MS
"""Transfers with which one is compared."""

FULL_Z: Final = 3.0
"""Deviations of the logarithm of the size at which a transfer counts in full."""

LEAST: Final = 20
"""Transfers without which none stands out."""

HALF_LIFE_MS: Final = 12 * HOUR_MS
LIVES: Final = 4
"""Half-lives after which a transfer is forgotten."""

MEMORY_MS: Final = WINDOW_MS + max(LIVES * HALF_LIFE_MS, WEEK_MS)
"""How far before a close transfers matter; the pin of a weekly bar may be a week old."""

SIDES: Final = {"in": -1.0, "out": 1.0, "between": 0.0, "unknown": 0.0}

_SIDE, _AMOUNT, _QUALITY, _LOG = range(4)


@kernel
def fill_transfers(
    known: Any, values: Any, opened: Any, closed: Any, which: Any, rows: Any
) -> None:
    """Write value, freshness and pin of each bar into the last columns of `rows`.

    The value is `P - N`, noisy-or of the live transfers of each side, over the freshness, which
    is that of the youngest of them. The pin is the largest transfer that became known during the
    bar, whatever its side.
    """
    for j in which:
        calm_up = 1.0
        calm_down = 1.0
        fresh = 0.0
        row = rows[j, rows.shape[1] - len(COLUMNS) :]
        end = np.searchsorted(known, closed[j], side="right")
        best = -1.0
        for i in range(end - 1, -1, -1):
            age = closed[j] - known[i]
            old = age >= LIVES * HALF_LIFE_MS
            if old and known[i] <= opened[j]:
                break
            value = values[i]
            if known[i] > opened[j] and value[_AMOUNT] > best:
                best = value[_AMOUNT]
                row[2] = value[_SIDE]
                row[3] = value[_AMOUNT]
                row[4] = value[_QUALITY]
            if not old and value[_SIDE] != 0.0 and value[_QUALITY] > 0.0:
                left = 2.0 ** (-age / HALF_LIFE_MS)
                fresh = max(fresh, left)
                if value[_SIDE] > 0.0:
                    calm_up *= 1.0 - value[_QUALITY] * left
                else:
                    calm_down *= 1.0 - value[_QUALITY] * left
        if fresh > 0.0:
            row[0] = min(max((calm_down - calm_up) / fresh, -1.0), 1.0)
            row[1] = fresh


class TransferLog:
    """The transfers of one coin."""

    def __init__(self) -> None:
        self._rows = AsOf(4)
        self._seen: dict[Transfer, None] = {}

    def take(self, transfer: Transfer) -> None:
        """Add a transfer; one that was taken before is passed over.

        Raises
        ------
        ValueError
            If its amount cannot be, its flow is unknown or it became known before one taken
            earlier.
        """
        if transfer in self._seen:
            return
        if transfer.flow not in SIDES:
            raise ValueError(f"flow of a transfer must be one of {', '.join(SIDES)}, "
                             f"was {transfer.flow!r}")
        if not 0 < transfer.amount <= MOST_AMOUNT:
            raise ValueError(
                f"amount of a transfer must be > 0 and <= {MOST_AMOUNT:g}, was {transfer.amount}"
            )
        size = math.log(transfer.amount)
        row = [SIDES[transfer.flow], transfer.amount, self._stands_out(transfer, size), size]
        self._rows.append(transfer.available_at, row)
        self._seen[transfer] = None

    def _stands_out(self, transfer: Transfer, size: float) -> float:
        """Tell in [0, 1] how far its size is above that of the transfers known before it."""
        known = self._rows.known
        a, b = np.searchsorted(known, (transfer.available_at - WINDOW_MS, transfer.available_at))
        sizes = self._rows.values[a:b, _LOG]
        if sizes.size < LEAST:
            return 0.0
        deviation = float(sizes.std())
        if deviation == 0.0:
            return 0.0
        return min(max((size - float(sizes.mean())) / deviation / FULL_Z, 0.0), 1.0)

    def fill(
        self, opened: TimeArray, closed: TimeArray, which: TimeArray, rows: FloatArray
    ) -> None:
        """Write the last columns of the rows of this coin's bars; see `fill_transfers`."""
        fill_transfers(self._rows.known, self._rows.values, opened, closed, which, rows)

    def forget(self, before: int) -> None:
        """Let go of what no close from `before` on needs."""
        old = before - MEMORY_MS
        self._rows.forget(old)
        if self._seen and next(iter(self._seen)).available_at < old:
            self._seen = {t: None for t in self._seen if t.available_at >= old}
