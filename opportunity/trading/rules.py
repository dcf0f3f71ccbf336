"""When the agent trades and how it gets out again, as the Param object that people turn."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, Literal, get_args

import param

from opportunity.errors import unknown
from opportunity.shared import Shared
from opportunity.trading.bounds import check_bounds
from opportunity.trading.levels import STOP_ATR, TARGETS_R
from opportunity.trading.records import AT_CLOSE, AT_LIMIT, AT_OPEN, MAX_TARGETS

Fill = Literal["open", "close", "limit"]
Direction = Literal["BULLISH", "BEARISH"]

FILLS: Final[dict[Fill, int]] = {"open": AT_OPEN, "close": AT_CLOSE, "limit": AT_LIMIT}

MIN_SCORE: Final = 0.65
MIN_CONFIDENCE: Final = 0.2
"""The best fifth of scored symbols reach it: `scoring.scan_rules.TRADE_CONFIDENCE`."""
MIN_TRUST: Final = 0.5
MAX_DISAGREEMENT: Final = 0.5
TRAIL_ATR: Final = 2.0
TIME_STOP_BARS: Final = 24


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """The trade rules of a moment, as plain values.

    Parameters
    ----------
    min_score : float
        Least final score along the symbol's side, [0.5, 1].
    min_confidence, min_trust : float
        Least confidence of a symbol and trust in its data, [0, 1].
    max_disagreement : float
        Most disagreement between the detectors, [0, 1].
    direction : str or None
        Trade only BULLISH or only BEARISH ideas.
    fill : str
        Where a decision is filled: at the next ``open``, at its own ``close``, or by a ``limit``
        that rests until the next decision; exits on a decision never wait for a limit.
    limit_atr : float
        How far the limit is better than the close, ATR.
    stop_atr : float
        Distance of the stop from the entry, ATR; 0: no stop, and so no targets.
    targets_r : tuple of float
        Targets in multiples of that distance, ascending; at most four.
    shares : tuple of float
        Part of the entry that each target closes; their sum is at most 1.
    trail_atr : float
        Distance of the trailing stop from the newest close, ATR; 0: it does not trail.
    time_stop : int
        Decision bars after which a position is closed; 0: never.
    opposite : bool
        Leave, and turn round, on an entry of the other side.
    """

    min_score: float = MIN_SCORE
    min_confidence: float = MIN_CONFIDENCE
    min_trust: float = MIN_TRUST
    max_disagreement: float = MAX_DISAGREEMENT
    direction: Direction | None = None
    fill: Fill = "open"
    limit_atr: float = 0.5
    stop_atr: float = STOP_ATR
    targets_r: tuple[float, ...] = TARGETS_R
    shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    trail_atr: float = TRAIL_ATR
    time_stop: int = TIME_STOP_BARS
    opposite: bool = True

    def __post_init__(self) -> None:
        check_bounds(asdict(self), _BOUNDS)
        if self.direction is not None and self.direction not in get_args(Direction):
            raise ValueError(unknown("direction", self.direction, get_args(Direction)))
        if self.fill not in FILLS:
            raise ValueError(unknown("fill", self.fill, FILLS))
        _check_targets(self.targets_r, self.shares)

    @property
    def takes_all(self) -> bool:
        """Whether the last target closes what is left."""
        return bool(self.shares) and sum(self.shares) > 1 - 1e-9

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"targets_r": list(self.targets_r), "shares": list(self.shares)}


_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "min_score": (0.5, 1.0), "min_confidence": (0.0, 1.0), "min_trust": (0.0, 1.0),
    "max_disagreement": (0.0, 1.0), "limit_atr": (0.0, 10.0), "stop_atr": (0.0, 20.0),
    "trail_atr": (0.0, 50.0), "time_stop": (0, 100_000),
}  # fmt: skip


def _check_targets(targets: Sequence[float], shares: Sequence[float]) -> None:
    if len(targets) > MAX_TARGETS:
        raise ValueError(f"targets_r must be at most {MAX_TARGETS}, was {len(targets)}")
    if len(shares) != len(targets):
        raise ValueError(
            f"shares must be one for each of the {len(targets)} targets, was {len(shares)}"
        )
    ascending = all(a < b for a, b in pairwise(targets))
    if not ascending or any(not 0 < r < math.inf for r in targets):
        raise ValueError(f"targets_r must ascend from above 0 and be finite, was {list(targets)}")
    if any(not 0 < s <= 1 for s in shares) or sum(shares) > 1 + 1e-9:
        raise ValueError(f"shares must be in (0, 1] and add up to at most 1, was {list(shares)}")


class TradeRules(Shared):
    """When to trade and when to leave, as somebody turns it; `record()` is the value of a moment.

    See `TradeRecord` for what each one means.
    """

    min_score = param.Number(
        MIN_SCORE, bounds=_BOUNDS["min_score"], doc="Least final score along the side, 0.5..1."
    )
    min_confidence = param.Number(
        MIN_CONFIDENCE, bounds=(0, 1), doc="Least confidence of a symbol, 0..1."
    )
    min_trust = param.Number(MIN_TRUST, bounds=(0, 1), doc="Least trust in its data, 0..1.")
    max_disagreement = param.Number(
        MAX_DISAGREEMENT, bounds=(0, 1), doc="Most disagreement between the detectors, 0..1."
    )
    direction: Any = param.Selector(
        default=None, objects=[None, *get_args(Direction)], doc="Trade only one side; None: both."
    )
    fill: Any = param.Selector(
        default="open", objects=list(FILLS), doc="Fill at the next open, the close, or a limit."
    )
    limit_atr = param.Number(
        0.5, bounds=_BOUNDS["limit_atr"], doc="How far a limit is better than the close, ATR."
    )
    stop_atr = param.Number(
        STOP_ATR, bounds=_BOUNDS["stop_atr"], doc="Distance of the stop, ATR; 0: none."
    )
    targets_r = param.List(
        default=list(TARGETS_R), item_type=(int, float), doc="Targets in multiples of the stop, R."
    )
    shares = param.List(
        default=[1 / 3, 1 / 3, 1 / 3], item_type=(int, float),
        doc="Part of the entry that each target closes.",
    )
    trail_atr = param.Number(
        TRAIL_ATR, bounds=_BOUNDS["trail_atr"], doc="Distance of the trailing stop, ATR; 0: none."
    )
    time_stop: Any = param.Integer(
        TIME_STOP_BARS, bounds=(0, 100_000), doc="Decision bars until a position is closed; 0: off."
    )
    opposite = param.Boolean(True, doc="Leave and turn round on an entry of the other side.")

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self.param:
            raise AttributeError(unknown("trade rule", name, [n for n in self.param]))
        super().__setattr__(name, value)

    def record(self) -> TradeRecord:
        """Return the present values, frozen.

        Raises
        ------
        ValueError
            If targets and shares do not fit each other.
        """
        values = {n: getattr(self, n) for n in TradeRecord.__dataclass_fields__}
        values["targets_r"] = tuple(float(r) for r in self.targets_r)
        values["shares"] = tuple(float(s) for s in self.shares)
        return TradeRecord(**values)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values by name."""
        return self.record().as_dict()
