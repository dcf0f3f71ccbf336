"""`opportunity backtest`: trade history as the agent would have traded it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED
from app.research.options import add_market, add_setup, history_of, setup_of

if TYPE_CHECKING:
    from opportunity.backtest.history import History
    from opportunity.backtest.result import BacktestResult

NAME: Final = "backtest"
N_TRADES: Final = 10

EPILOG: Final = """\
examples:
  opportunity backtest BTC/USDT --from 2024-01-01 --to 2024-07-01
  opportunity backtest btc-1h.parquet --timeframes 1h,4h --weights smc=0.3 --export run.html
  opportunity backtest BTC/USDT ETH/USDT --data data/binance --from 2024-01-01 \\
      --rules min_score=0.6,time_stop=48 --risk max_positions=2 --json
  opportunity backtest BTC/USDT --simulated 7 --from 2024-01-01 --to 2024-03-01

Missing history is an error and never filled in. `opportunity fetch` downloads it.

exit codes: 0 done, 1 no result (bars or warm-up are missing or break a rule), 2 bad usage
"""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "result": ("final_equity", "total_return", "cagr", "volatility", "sharpe", "sortino",
               "calmar", "max_drawdown", "max_drawdown_ms", "exposure", "turnover_yearly"),
    "trades": ("trades", "win_rate", "profit_factor", "expectancy", "avg_r", "sqn", "avg_trade_ms",
               "max_consecutive_losses", "fees", "slippage", "funding"),
}  # fmt: skip
"""What the table shows; `--json` and `--export` have all."""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="trade history as the agent would have", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Judge every close of the decision timeframe from closed bars only, trade with "
        "costs from the next open on, and measure what came of it.",
    )
    add_market(parser)
    arguments.add_weights(parser)
    add_setup(parser)
    option = parser.add_argument
    option("--export", type=export_file, metavar="FILE",
           help="write the result to FILE: .csv, .json, .parquet or .html")
    option("--json", action="store_true", help="print one JSON document instead of tables")
    parser.set_defaults(run=run)


def export_file(text: str) -> Path:
    """Return a path whose ending names a format, in a folder that exists."""
    from opportunity.backtest.export import FORMATS

    path = Path(text).expanduser()
    if path.suffix.lstrip(".") not in FORMATS:
        raise argparse.ArgumentTypeError(
            f"must end in one of .{', .'.join(FORMATS)}, was {text!r}"
        )
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"must be in an existing folder, was {text!r}")
    return path


def run(args: argparse.Namespace) -> int:
    """Test, print, and return the exit code."""
    from app.research.shown import Shown
    from app.research.tables import console, trials
    from opportunity.backtest.engine import backtest
    from opportunity.errors import OpportunityError

    try:
        setup = setup_of(args)
    except ValueError as error:
        arguments.complain(str(error))
        return BAD_USAGE
    try:
        with Shown("running the detectors", "bars") as shown:
            history = history_of(args, shown.tell)
            result = backtest(
                history, weights=args.weights, rules=setup.rules, costs=setup.costs,
                sizing=setup.sizing, risk=setup.risk, cash=setup.cash, seed=args.seed,
            )  # fmt: skip
        n_trials = counted(history, result)
        if args.export is not None:
            write_export(result, args.export)
    except (OpportunityError, ValueError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    if args.json:
        arguments.write_json(document(result) | {"trials": n_trials})
    else:
        print_result(result)
        console().print(trials(n_trials), highlight=False)
        if args.export is not None:
            console().print(f"written to {args.export}", highlight=False, soft_wrap=True)
    return DONE


def counted(history: "History", result: "BacktestResult") -> int:
    """Count the run as a trial of its data and return how many there were."""
    from opportunity.backtest.means import means_of
    from opportunity.backtest.trials import count_run

    with means_of() as means:  # closes the database of the counter again
        count_run(means.trials, history, result)
        return means.trials.count(history.digest).n


def about(result: "BacktestResult") -> dict[str, Any]:
    """Return what a result was made of, plain values."""
    return {
        "config": {
            "symbols": list(result.symbols), "timeframe": result.base,
            "decision_timeframe": result.decision, "weights": result.capsule.weights,
            **result.setup.as_dict(), "seed": result.capsule.seed,
        },
        "warnings": list(result.warnings),
        "coverage": result.coverage.as_dict(),
        "capsule": result.capsule.as_dict(),
    }  # fmt: skip


def document(result: "BacktestResult") -> dict[str, Any]:
    """Return all but the curve, as one JSON document."""
    from opportunity.backtest.tables import plain, trade_columns

    rows = plain(trade_columns(result))
    return {
        "source": result.source, **about(result), "metrics": result.metrics.as_dict(),
        "refused": result.refused(),
        "trades": [
            dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)
        ],
    }  # fmt: skip


def write_export(result: "BacktestResult", path: Path) -> None:
    """Write a result in the format that the path's ending names."""
    from opportunity.backtest.export import export

    path.write_bytes(export(result, about(result), path.suffix.lstrip(".")))


def print_result(result: "BacktestResult") -> None:
    """Print metrics, the newest trades and what to know before believing them."""
    from rich.table import Table

    from app.research.tables import console, number
    from opportunity.backtest.baselines import buy_and_hold
    from opportunity.backtest.prices import Prices
    from opportunity.backtest.tables import plain, trade_columns
    from opportunity.market.timeframe import utc_text

    out, m = console(), result.metrics.as_dict()
    span = f"{utc_text(int(result.time[0]))} to {utc_text(int(result.time[-1]))}"
    table = Table(title=f"{', '.join(result.symbols) or 'bars'} {result.base}, {span}"
                  + (f", {result.source}" if result.source else ""))
    for _ in GROUPS:
        table.add_column("")
        table.add_column("", justify="right")
    for names in zip(*GROUPS.values(), strict=True):
        table.add_row(*(cell for n in names for cell in (_title(n), number(n, m[n]))))
    held = buy_and_hold(Prices.of_bars(result.bars), result.setup.costs, result.setup.cash).metrics
    table.add_section()
    table.add_row("buy and hold", number("total_return", held.total_return),
                  "its drawdown", number("max_drawdown", held.max_drawdown))
    out.print(table)
    rows = plain(trade_columns(result, N_TRADES))
    if rows["number"]:
        shown = Table(title=f"newest {len(rows['number'])} of {len(result.trades)} trades",
                      box=None, padding=(0, 1, 0, 0))  # all of them fit into 80 columns
        for name in ("symbol", "side", "in", "out", "entry", "exit", "profit", "R", "why"):
            shown.add_column(name, justify="left" if name in ("symbol", "side", "why") else "right",
                             overflow="fold", min_width=10 if name in ("in", "out") else None)
        for values in zip(*(rows[n] for n in (
            "symbol", "side", "entry_ts", "exit_ts", "entry_price", "exit_price", "profit",
            "r_multiple", "exit_reason")), strict=True):  # fmt: skip
            symbol, side, opened, closed, entry, left, profit, r, why = values
            shown.add_row(symbol, side, _clock(opened), _clock(closed), f"{entry:.6g}",
                          f"{left:.6g}", f"{profit:,.2f}", number("r", r), why)
        out.print(shown)
    refused = ", ".join(f"{name} {n}" for name, n in result.refused().items())
    if refused:
        out.print(f"entries refused: {refused}", highlight=False)
    for warning in result.warnings:
        arguments.complain(warning)


def _clock(time: int) -> str:
    """Word a time so that it can be broken between date and hour."""
    from opportunity.market.timeframe import utc_text

    return utc_text(time).removesuffix("Z").replace("T", " ")


def _title(name: str) -> str:
    if name == "max_drawdown_ms":
        return "longest below a peak"
    return name.removesuffix("_ms").replace("_", " ")
