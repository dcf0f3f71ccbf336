"""What an agent is told by people, and what it tells them of its scans."""

from dataclasses import dataclass

from opportunity.market.bars import FloatArray
from opportunity.scoring.rules import Rules
from opportunity.trading.setup import TradeSetup


@dataclass(frozen=True, slots=True, eq=False)
class Challenger:
    """Weights that run on paper beside those in force.

    Parameters
    ----------
    name : str
    weights : ndarray, shape (9,)
        By `DETECTOR_NAMES`.
    """

    name: str
    weights: FloatArray


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What people have turned, as one value; swapped whole, never changed.

    `relearn` counts how often the calibration was asked to be learned anew.
    """

    version: int
    enabled: bool
    interval_ms: int
    weights: FloatArray
    rules: Rules
    trade: TradeSetup | None = None
    challengers: tuple[Challenger, ...] = ()
    relearn: int = 0


@dataclass(frozen=True, slots=True)
class ScanStats:
    """How the last scan went; times are feed times in ms UTC."""

    time: int
    took_ms: float
    next_at: int
    n_scans: int
