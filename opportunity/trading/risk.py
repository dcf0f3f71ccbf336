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
    "cooldown_h": (0.0, 8_760.0), "max_volume": (0.0, 1.0), "max_volatility": (0.0, 1.0),
    "kelly": (0.0, 1.0), "payoff": (0.1, 10.0), "stale_bars": (0, 1_000),
    "max_var95": (0.001, 1.0), "max_correlation": (0.0, 1.0),
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
        Hours; then drawdown and streak count anew, and one entry at a time is let through until
        a trade that began so has won.
    max_volume : float
        Notional of an entry, as a fraction of what was traded in 24 hours; 0: no bound.
    max_volatility : float
        What one ATR of the decision timeframe moves, as a fraction of the equity; 0: no bound.
    kelly : float
        Part of the Kelly fraction that an entry risks at most; 0: no bound.
    payoff : float
        What a win is worth in losses, as the Kelly fraction takes it.
    stale_bars : int
        Base bars without news before the data is stale and entries stop, live; 0: never.
    max_var95 : float
        Loss of a day that is exceeded one day in twenty, as a fraction of the equity: warned of,
        not enforced.
    max_correlation : float
        Of the returns of two positions of one side: warned of, not enforced.
    """

    max_positions: int = 5
    max_position: float = 0.3
    max_leverage: float = 3.0
    max_daily_loss: float = 0.03
    max_drawdown: float = 0.15
    max_losses: int = 5
    cooldown_h: float = 24.0
    max_volume: float = 0.01
    max_volatility: float = 0.02
    kelly: float = 0.25
    payoff: float = 1.5
    stale_bars: int = 3
    max_var95: float = 0.05
    max_correlation: float = 0.7

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
    max_volume = param.Number(
        0.01, bounds=_BOUNDS["max_volume"],
        doc="Notional of an entry, fraction of the 24 h quote volume; 0: no bound.",
    )
    max_volatility = param.Number(
        0.02, bounds=_BOUNDS["max_volatility"],
        doc="What one ATR moves, fraction of equity; 0: no bound.",
    )
    kelly = param.Number(
        0.25, bounds=_BOUNDS["kelly"],
        doc="Part of the Kelly fraction that an entry risks at most; 0: no bound.",
    )
    payoff = param.Number(
        1.5, bounds=_BOUNDS["payoff"], doc="What a win is worth in losses, for Kelly."
    )
    stale_bars: Any = param.Integer(
        3, bounds=(0, 1_000), doc="Base bars without news that stop entries, live; 0: never."
    )
    max_var95 = param.Number(
        0.05, bounds=_BOUNDS["max_var95"],
        doc="Loss of a day met one day in twenty, fraction of equity: warned of, not enforced.",
    )
    max_correlation = param.Number(
        0.7, bounds=_BOUNDS["max_correlation"],
        doc="Of the returns of two positions of one side: warned of, not enforced.",
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
    max_drawdown=1.0, max_losses=0, cooldown_h=0.0, max_volume=0.0, max_volatility=0.0, kelly=0.0,
    stale_bars=0, max_var95=1.0, max_correlation=1.0,
)  # fmt: skip
"""Limits that hold nothing back."""
