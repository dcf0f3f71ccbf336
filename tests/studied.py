"""One small history and what each question of research finds in it; made once for all tests."""

from functools import cache

from builders import random_bars

import opportunity as op
from app.backtest_plan import plan_of
from opportunity.backtest.judge import Aim
from opportunity.backtest.trials import MemoryTrials
from opportunity.contracts.backtest import MarketRequest
from opportunity.scoring.presets import PRESETS
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SETUP = TradeSetup(TradeRecord(min_score=0.5, min_confidence=0.0))


@cache
def history():
    return op.prepare(random_bars(2_000), timeframes=["1h"])


@cache
def plan():
    asked = {"symbol": "BTC/USDT", "start_date": "2024-01-01", "end_date": "2024-02-01"}
    return plan_of(MarketRequest.model_validate(asked), PRESETS["balanced"])


@cache
def search(n=200, least_trades=5):
    return op.search(
        history(), "random", n, least_trades=least_trades, setup=SETUP, threads=1,
        trials=MemoryTrials(),
    )  # fmt: skip


@cache
def walked():
    return op.walk_forward(
        history(), op.Plan("random", 30, Aim("sharpe", 1)), n_folds=3, setup=SETUP, threads=1,
        trials=MemoryTrials(),
    )  # fmt: skip
