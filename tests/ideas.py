"""Candidates to order, in a database of their own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from opportunity.contracts import DETECTOR_NAMES
from opportunity.storage.candidates import Candidate, candidate_rows
from opportunity.storage.trading_tables import candidate

HOUR = 3_600_000
START = 1_700_000_000_000 // HOUR * HOUR
MARKET = "simulated-7"

IDEA = Candidate(
    time=START, symbol="BTC/USDT", timeframe="1h", side=1, action="entered", stopped_by=(),
    score=0.7, net=0.4, confidence=0.5, consensus=0.8, disagreement=0.2, trust=1.0, success=0.52,
    risk_level="LOW", contributions={"smc": 0.3, "harmonic": 0.1}, price=100.0, atr=2.0,
    order_number=None, config=1,
)  # fmt: skip


def ideas(n: int, seed: int = 1, symbols: Sequence[str] = ("BTC/USDT", "ETH/USDT")) -> list[Any]:
    """One candidate a symbol at each of n hours: random sides, scores and contributions."""
    rng = np.random.default_rng(seed)
    made = []
    for hour in range(n):
        for symbol in symbols:
            parts = rng.uniform(-0.2, 0.2, len(DETECTOR_NAMES))
            net = float(parts.sum())
            side = 1 if net >= 0 else -1
            made.append(IDEA._replace(
                time=START + hour * HOUR, symbol=symbol, side=side, net=net, score=(1 + net) / 2,
                confidence=float(rng.random()), success=float(rng.uniform(0.4, 0.6)),
                contributions=dict(zip(DETECTOR_NAMES, parts.tolist(), strict=True)),
            ))  # fmt: skip
    return made


def keep(engine: sa.Engine, candidates: Sequence[Candidate], epoch: int = 1, **names: str) -> None:
    """Write candidates as the ledger does."""
    rows = candidate_rows(
        names.get("book", "paper"), epoch, names.get("market", MARKET), candidates
    )
    with engine.begin() as connection:
        connection.execute(sa.insert(candidate), rows)
