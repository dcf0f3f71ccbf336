"""A small result, made by hand: two trades, two fills, four points of equity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.metrics import Metrics, Run, measure
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.trading.records import END, ENTRY, FILL, TARGET, TRADE

START = 1_704_067_200_000
HOUR = 3_600_000


@dataclass(eq=False)
class Made:
    """What an export reads of a result."""

    symbols: tuple[str, ...]
    time: TimeArray
    equity: FloatArray
    trades: NDArray[Any]
    fills: NDArray[Any]
    metrics: Metrics
    source: str


def made(source: str = "simulated", symbols: tuple[str, ...] = ("BTC/USDT", "=ETH/USDT")) -> Made:
    """Return the result; its second symbol is hostile."""
    trades, fills = np.zeros(2, TRADE), np.zeros(2, FILL)
    trades["number"], trades["symbol"], trades["side"] = [0, 1], [0, 1], [1, -1]
    trades["opened"], trades["closed"] = START, START + 2 * HOUR
    trades["entry"], trades["exit"], trades["quantity"] = 100.0, [110.0, 105.0], 2.0
    trades["pnl"], trades["r"], trades["reason"] = [20.0, -10.0], [1.5, np.nan], [TARGET, END]
    fills["time"], fills["side"], fills["reason"] = START, [1, -1], [ENTRY, TARGET]
    fills["quantity"], fills["price"], fills["reference"] = 2.0, [100.0, 110.0], [99.9, 110.1]
    time = START + HOUR * np.arange(1, 5)
    equity = np.array([1_000.0, 1_020.0, 980.0, 1_010.0])
    run = Run(time, equity, 1_000.0, np.array([True, True, True, False]), trades)
    return Made(symbols, time, equity, trades, fills, measure(run), source)


ABOUT: dict[str, Any] = {
    "config": {
        "symbols": ["BTC/USDT", "=ETH/USDT"], "fee": 0.0005, "seed": 3, "opposite": True,
        "note": '=HYPERLINK("http://x","y")', "exchange": None, "name": "@SUM", "tab": "\t=1+1",
        "minus": -0.5, "html": "<script>alert(1)</script>",
    },
    "warnings": ["<b>few</b> trades"],
}  # fmt: skip
