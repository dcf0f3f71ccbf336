"""What an agent is told by people, and what it tells them of its scans."""

from dataclasses import dataclass

from opportunity.market.bars import FloatArray
from opportunity.scoring.rules import Rules
from opportunity.trading.setup import TradeSetup


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What people have turned, as one value; swapped whole, never changed."""

    version: int
    enabled: bool
    interval_ms: int
    weights: FloatArray
    rules: Rules
    trade: TradeSetup | None = None


@dataclass(frozen=True, slots=True)
class ScanStats:
    """How the last scan went; times are feed times in ms UTC."""

    time: int
    took_ms: float
    next_at: int
    n_scans: int
