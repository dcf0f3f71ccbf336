"""The limits that every entry must keep, as the Param object that people turn."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import param

from opportunity.errors import unknown
from opportunity.market.timeframe import HOUR_MS
from opportunity.shared import Shared
from opportunity.trading.bounds import check_bounds

_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "max_positions": (1, 1_000), "max_position": (0.001, 100.0), "max_leverage": (0.001, 100.0),
    "max_daily_loss": (0.001, 1.0), "max_drawdown": (0.001, 1.0), "max_losses": (0, 1_000),
    "cooldown_h": (0.0, 8_760.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RiskRecord:
    """The limits of a moment, as plain values.

    Parameters
    ----------
    max_positions : int
        Positions held, and entries ordered, at once.
    max_position : float
        Notional of one symbol, as a fraction of the equity.
    max_leverage : float
        Notional of all positions, as a multiple of the equity.
    max_daily_loss : float
        Loss since midnight UTC, as a fraction, that ends the day's entries.
    max_drawdown : float
        Loss from the highest equity, as a fraction, that stops entries for the cool-down.
    max_losses : int
        Losing trades in a row that do the same; 0: no bound.
    cooldown_h : float
        Hours; then drawdown and streak count anew from there.
    """

    max_positions: int = 5
    max_position: float = 0.3
    max_leverage: float = 3.0
    max_daily_loss: float = 0.03
    max_drawdown: float = 0.15
    max_losses: int = 5
    cooldown_h: float = 24.0

    def __post_init__(self) -> None:
        check_bounds(asdict(self), _BOUNDS)

    @property
    def cooldown_ms(self) -> int:
        """The cool-down in ms."""
        return round(self.cooldown_h * HOUR_MS)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class RiskLimits(Shared):
    """Limits on entries, as somebody turns them; `record()` is the value of a moment.

    See `RiskRecord` for what each one means.
    """

    max_positions: Any = param.Integer(
        5, bounds=(1, 1_000), doc="Positions held, and entries ordered, at once."
    )
    max_position = param.Number(
        0.3, bounds=_BOUNDS["max_position"], doc="Notional of one symbol, fraction of equity."
    )
    max_leverage = param.Number(
        3.0, bounds=_BOUNDS["max_leverage"], doc="Notional of all positions by equity."
    )
    max_daily_loss = param.Number(
        0.03, bounds=_BOUNDS["max_daily_loss"], doc="Loss of a UTC day that ends its entries."
    )
    max_drawdown = param.Number(
        0.15, bounds=_BOUNDS["max_drawdown"], doc="Loss from the peak that stops entries."
    )
    max_losses: Any = param.Integer(
        5, bounds=(0, 1_000), doc="Losing trades in a row that stop entries; 0: no bound."
    )
    cooldown_h = param.Number(
        24.0, bounds=_BOUNDS["cooldown_h"], doc="Hours that drawdown and streak stop entries for."
    )

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self.param:
            raise AttributeError(unknown("limit", name, [n for n in self.param]))
        super().__setattr__(name, value)

    def record(self) -> RiskRecord:
        """Return the present values, frozen."""
        return RiskRecord(**{n: getattr(self, n) for n in RiskRecord.__dataclass_fields__})

    def as_dict(self) -> dict[str, Any]:
        """Return plain values by name."""
        return self.record().as_dict()


UNLIMITED: Final = RiskRecord(
    max_positions=1_000, max_position=100.0, max_leverage=100.0, max_daily_loss=1.0,
    max_drawdown=1.0, max_losses=0, cooldown_h=0.0,
)  # fmt: skip
"""Limits that hold nothing back."""
