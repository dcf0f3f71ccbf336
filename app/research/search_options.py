"""What sweep and walkforward share: how weights are looked for, and where the work is done."""

import argparse
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, FAILED
from app.research.options import history_of, setup_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.research.shown import Shown
    from opportunity.backtest.history import History
    from opportunity.backtest.search import Plan
    from opportunity.trading.setup import TradeSetup


class Framed(Protocol):
    """What can be told as a table."""

    def to_frame(self) -> Any:
        """Return it as a DataFrame."""


Found = TypeVar("Found", bound=Framed)


def add_search(parser: argparse.ArgumentParser, n: int) -> None:
    """Add how weights are looked for; `n` vectors by default."""
    option = parser.add_argument
    option("--method", choices=("random", "grid", "tpe", "cmaes"), default="random",
           help="random: evenly from all proportions (default); grid: even steps; tpe and cmaes "
           "learn from what they have judged")
    option("--n", type=arguments.count, default=n, metavar="N",
           help=f"weight vectors at most (default: {n:,})")
    option("--objective", default="sharpe", metavar="NAME", type=objective,
           help="sharpe (default), sortino, calmar, total_return, cagr, sqn, profit_factor or "
           "expectancy")
    option("--least-trades", type=arguments.whole, default=30, metavar="N",
           help="with fewer trades a vector has no value (default: 30)")
    option("--study", default="", metavar="NAME",
           help="keep the study of tpe or cmaes; the same command goes on with it")
    option("--cluster", metavar="tcp://HOST:PORT",
           help="scheduler of a Dask cluster that does the work (default: this machine)")
    option("--export", type=table_file, metavar="FILE",
           help="write the table to FILE: .csv or .parquet")
    option("--json", action="store_true", help="print one JSON document instead of tables")


@arguments.checked
def objective(text: str) -> str:
    """Parse the name of an objective."""
    from opportunity.backtest.judge import OBJECTIVES
    from opportunity.errors import unknown

    if text not in OBJECTIVES:
        raise ValueError(unknown("objective", text, OBJECTIVES))
    return text


def table_file(text: str) -> Any:
    """Return a path that ends in .csv or .parquet, in a folder that exists."""
    from pathlib import Path

    path = Path(text).expanduser()
    if path.suffix not in (".csv", ".parquet"):
        raise argparse.ArgumentTypeError(f"must end in .csv or .parquet, was {text!r}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"must be in an existing folder, was {text!r}")
    return path


def plan_of(args: argparse.Namespace) -> "Plan":
    """Return how weights are looked for.

    Raises
    ------
    ValueError
        If the arguments do not fit each other.
    """
    from opportunity.backtest.judge import Aim
    from opportunity.backtest.search import Plan

    return Plan(args.method, args.n, Aim(args.objective, args.least_trades), args.seed, args.study)


def write_table(frame: Any, path: Any) -> None:
    """Write a frame; times lose nothing in either format."""
    if path.suffix == ".csv":
        frame.to_csv(path)
    else:
        frame.to_parquet(path)


def plain_rows(frame: Any) -> list[dict[str, Any]]:
    """Return the rows of a frame as plain values; times as ms UTC."""
    import pandas as pd

    rows = frame.reset_index().to_dict("records")
    return [
        {
            name: int(value.timestamp() * 1_000) if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def weights_text(weights: dict[str, float]) -> str:
    """Word weights so that `--weights` takes them."""
    return ",".join(f"{name}={value:.6g}" for name, value in weights.items())


def look(
    args: argparse.Namespace,
    work: "Callable[[History, TradeSetup, Plan, Shown], Found]",
    tell: "Callable[[Found, Any], None]",
) -> "Found | int":
    """Do the work of a verb on its history, with a progress bar, and tell what was found.

    Parameters
    ----------
    args : Namespace
        Of `add_market`, `add_setup` and `add_search`.
    work : callable
        From history, setup, plan and the progress bar to what is found.
    tell : callable
        Prints what was found and its frame, which is written to ``--export`` before.

    Returns
    -------
    What was found, or an exit code where nothing was.
    """
    from app.research.shown import Shown
    from opportunity.errors import OpportunityError

    try:
        setup, plan = setup_of(args), plan_of(args)
    except ValueError as error:
        arguments.complain(str(error))
        return BAD_USAGE
    try:
        with Shown("running the detectors", "bars") as shown:
            found = work(history_of(args, shown.tell), setup, plan, shown)
        frame = found.to_frame()
        if args.export is not None:
            write_table(frame, args.export)
    except (OpportunityError, ValueError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    tell(found, frame)
    return found
