"""Measure one backtest against vectorbt (rust and numba engines) and backtesting.py.

    python -m tests.benchmarks.bench_backtest [--bars N] [--rounds N] [--json]

All trade the same entries with the same stops, targets, fees, slippage and sizes; trades and final
equity are compared before anything is timed. vectorbt acts once a bar: it cannot enter at the close
of a bar inside which a stop or target was reached. Such entries are taken out beforehand, for all.
Runs take turns, and medians are compared.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from opportunity.backtest.batches import Batches, batches_of
from opportunity.backtest.execution import Ran, execute
from opportunity.backtest.run import run_one
from opportunity.indicators.atr import atr
from opportunity.market.bars import Bars
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION, FILL, ORDER, STOP, TARGET, TRADE, columns_of
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account, new_positions, new_tally
from tests.benchmarks.bench_indicators import keep_memory
from tests.benchmarks.long_market import minutes

STOP_ATR, TARGET_R, NOTIONAL, CASH = 8.0, 2.0, 1_000.0, 100_000.0
SETUP = TradeSetup(
    TradeRecord(
        fill="close", stop_atr=STOP_ATR, targets_r=(TARGET_R,), shares=(1.0,), trail_atr=0.0,
        time_stop=0,
    ),
    Costs(0.0005, 0.0002), Sizing.notional(NOTIONAL), UNLIMITED, CASH,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Bars, the entries that everybody trades, and what they are made of."""

    bars: Bars
    batches: Batches
    table: np.ndarray

    @property
    def side(self) -> np.ndarray:
        """Side asked for at each close."""
        side = np.zeros(len(self.bars))
        side[self.table["batch"]] = self.table["side"]
        return side

    @property
    def distance(self) -> np.ndarray:
        """Distance of a stop at each close."""
        return STOP_ATR * atr(self.bars, 14)


def make_case(n: int, seed: int = 1, share: float = 0.02) -> Case:
    """Score bars by a slow oscillator; entries where it is far out."""
    bars = minutes(n, seed)
    rng = np.random.default_rng(seed)
    score = pd.Series(rng.standard_normal(n)).ewm(span=30).mean().to_numpy()
    bound = np.quantile(np.abs(score), 1 - share)
    table = np.zeros(n - 1, DECISION)
    table["batch"], table["time"] = np.arange(n - 1), bars.close_time[:-1]
    table["atr"] = atr(bars, 14)[:-1]
    table["side"] = np.where(np.abs(score) >= bound, np.sign(score), 0)[:-1]
    table["side"][:100] = 0
    batches = batches_of([bars], "1m")
    while True:
        ran = execute(batches, table, SETUP, 1)
        inside = ran.fills["time"][np.isin(ran.fills["reason"], (STOP, TARGET))]
        met = np.isin(table["time"], inside) | np.isin(table["time"], inside + 60_000)
        met &= table["side"] != 0
        if not met.any():
            return Case(bars, batches, table)
        table["side"][met] = 0


def ours(case: Case) -> tuple[int, float]:
    """Run the engine with all its rows: fills, trades, orders, equity and running sums."""
    ran: Ran = execute(case.batches, case.table, SETUP, 1)
    return len(ran.trades), float(ran.equity[-1])


def our_loop(case: Case, columns: tuple[Any, ...]) -> float:
    """Run the same with decisions laid out beforehand, as the peer's inputs are; final equity."""
    n, entries, batches = len(case.bars), int(np.count_nonzero(columns[3])), case.batches
    account, tally, equity, held = new_account(CASH), new_tally(CASH), np.empty(n), np.empty(n)
    run_one(
        account[0], new_positions(1), SETUP.terms()[0],
        (np.zeros(3 * entries, FILL), np.zeros(entries, TRADE)), np.zeros(2 * entries, ORDER),
        tally[0], batches.time, batches.open_time, batches.values, columns, equity, held,
    )  # fmt: skip
    return float(equity[-1])


def vectorbt_inputs(side: np.ndarray, bars: Bars, distance: np.ndarray) -> dict[str, Any]:
    """Return the keyword arguments that give vectorbt the same trades; columns are runs."""
    side = side.reshape(len(bars), -1)
    fill = bars.close[:, None] * (1.0 + side * SETUP.costs.slip)
    stop = np.nan_to_num(distance)[:, None] / fill
    end = np.zeros(side.shape, np.bool_)
    end[-1] = True
    return {
        "open": bars.open[:, None], "high": bars.high[:, None], "low": bars.low[:, None],
        "entries": side > 0, "short_entries": side < 0, "exits": end, "short_exits": end,
        "size": NOTIONAL / fill, "sl_stop": stop, "tp_stop": TARGET_R * stop,
        "stop_entry_price": "fillprice", "stop_exit_price": "stopmarket",
        "upon_opposite_entry": "reverse", "fees": SETUP.costs.fee,
        "slippage": SETUP.costs.slip, "init_cash": CASH, "freq": "1min",
    }  # fmt: skip


def lean_inputs(side: np.ndarray, bars: Bars, distance: np.ndarray) -> dict[str, Any]:
    """Return nearly the same with as few arrays as can be: one stop for both sides, one size."""
    stop = np.nan_to_num(distance / bars.close)[:, None]
    end = np.zeros((len(bars), 1), np.bool_)
    end[-1] = True
    return {
        "open": bars.open[:, None], "high": bars.high[:, None], "low": bars.low[:, None],
        "entries": side > 0, "short_entries": side < 0, "exits": end, "short_exits": end,
        "size": NOTIONAL, "size_type": "value", "sl_stop": stop, "tp_stop": TARGET_R * stop,
        "stop_entry_price": "fillprice", "stop_exit_price": "stopmarket",
        "upon_opposite_entry": "reverse", "fees": SETUP.costs.fee,
        "slippage": SETUP.costs.slip, "init_cash": CASH, "freq": "1min",
    }  # fmt: skip


def run_vectorbt(
    bars: Bars, inputs: dict[str, Any], engine: str, metrics: bool = True
) -> tuple[Any, Any]:
    """Simulate and work out what our running sums hold too; trades and final equity by column."""
    import vectorbt as vbt

    made = vbt.Portfolio.from_signals(bars.close[:, None], **inputs, engine=engine)
    if metrics:
        made.sharpe_ratio()
        made.max_drawdown()
    return np.asarray(made.trades.count()), np.asarray(made.final_value())


def run_backtesting(case: Case) -> tuple[int, float]:
    """Run backtesting.py; it has no slippage of fills, so its equity is not compared."""
    from backtesting import Backtest, Strategy

    side, distance = case.side, case.distance

    class Same(Strategy):
        def init(self) -> None: ...

        def next(self) -> None:
            i = len(self.data) - 1
            wanted, held = side[i], self.position.size
            if wanted == 0 or wanted * held > 0:
                return
            if held:
                self.position.close()
            close, away = self.data.Close[-1], distance[i]
            enter = self.buy if wanted > 0 else self.sell
            enter(size=0.1, sl=close - wanted * away, tp=close + wanted * TARGET_R * away)

    frame = case.bars.to_frame().rename(columns=str.capitalize)
    told = Backtest(
        frame, Same, cash=10_000_000, commission=SETUP.costs.fee, trade_on_close=True,
        finalize_trades=True,
    ).run()
    return int(told["# Trades"]), float(told["Equity Final [$]"])


def timed(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return median seconds of each call; they take turns."""
    for call in calls.values():
        call()
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            spent[name].append(time.perf_counter() - began)
    return {name: median(values) for name, values in spent.items()}


def measure(n: int, rounds: int, n_slow: int = 20_000) -> dict[str, Any]:
    """Return nanoseconds a bar of everybody, and the ratios."""
    case = make_case(n)
    kept, columns = keep_memory(), columns_of(case.table)
    inputs = vectorbt_inputs(case.side, case.bars, case.distance)
    trades, equity = ours(case)
    assert our_loop(case, columns) == equity
    for engine in ("rust", "numba"):
        count, value = run_vectorbt(case.bars, inputs, engine)
        if int(count[0]) != trades or abs(float(value[0]) - equity) > 1e-6 * equity:
            raise SystemExit(
                f"vectorbt {engine}: {count[0]} trades, {value[0]}; ours {trades}, {equity}"
            )
    spent = timed(
        {
            "ours": lambda: our_loop(case, columns),
            "ours, from a table": lambda: ours(case),
            "vectorbt rust": lambda: run_vectorbt(case.bars, inputs, "rust"),
            "vectorbt numba": lambda: run_vectorbt(case.bars, inputs, "numba"),
        },
        rounds,
    )
    short = make_case(n_slow)
    slow = timed({"backtesting.py": lambda: run_backtesting(short)}, 1)
    per_bar = {name: s / n * 1e9 for name, s in spent.items()}
    per_bar["backtesting.py"] = slow["backtesting.py"] / n_slow * 1e9
    return {
        "bars": n, "memory_kept": kept, "trades": trades, "final_equity": equity,
        "held": float(np.count_nonzero(execute(case.batches, case.table, SETUP, 1).held) / n),
        "ns_per_bar": {k: round(v, 2) for k, v in per_bar.items()},
        "ratio": {k: round(v / per_bar["ours"], 1) for k, v in per_bar.items()},
    }  # fmt: skip


def main() -> int:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own
        result = measure(args.bars, args.rounds)
    text = json.dumps(result) if args.json else "\n".join(f"{k}: {v}" for k, v in result.items())
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
