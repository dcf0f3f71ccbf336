"""`opportunity sweep`: judge many weight vectors on the same history."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import DONE, FAILED
from app.research.options import add_market, add_setup
from app.research.search_options import add_search, look, plain_rows, weights_text

if TYPE_CHECKING:
    from opportunity.backtest.searched import SearchResult

NAME: Final = "sweep"
SHOWN: Final = ("value", "total_return", "max_drawdown", "trades", "sharpe")
"""Columns of the table before the weights; `--json` and `--export` have all."""

HEADS: Final = {"total_return": "return", "max_drawdown": "drawdown", "sharpe": "Sharpe"}

EPILOG: Final = """\
examples:
  opportunity sweep BTC/USDT --from 2023-01-01 --to 2024-01-01 --n 100000
  opportunity sweep btc-1h.parquet --method tpe --n 2000 --study btc --objective sortino
  opportunity sweep BTC/USDT --from 2023-01-01 --cluster tcp://127.0.0.1:8786 --export found.parquet

Every vector is counted as a trial of this data; the more there were, the better the best of them
looks by chance. `opportunity walkforward` tests choices on what came after them, and
`opportunity promote` asks the guards.

exit codes: 0 done, 1 no result (history is missing, the cluster is gone), 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="judge many weight vectors on the same history", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run the detectors once, then trade the history under each weight vector, "
        "with the same rules, costs and limits as `opportunity backtest`.",
    )
    add_market(parser)
    add_setup(parser)
    add_search(parser, 10_000)
    parser.add_argument("--top", type=arguments.count, default=10, metavar="N",
                        help="print the N best (default: 10)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Sweep, print, and return the exit code."""
    from opportunity.backtest.search import search

    def work(history: Any, setup: Any, plan: Any, shown: Any) -> "SearchResult":
        shown.now(f"judging {plan.n:,} vectors", "pieces")
        return search(
            history, plan.method, plan.n, objective=plan.aim.objective,
            least_trades=plan.aim.least_trades, seed=plan.seed, study=plan.study, setup=setup,
            cluster=args.cluster, progress=shown.tell,
        )  # fmt: skip

    def tell(found: "SearchResult", frame: Any) -> None:
        if args.json:
            arguments.write_json(_document(found, frame.head(args.top)))
        else:
            _print(found, frame.head(args.top))

    found = look(args, work, tell)
    if isinstance(found, int):
        return found
    return DONE if found.best >= 0 else FAILED


def _document(found: "SearchResult", frame: Any) -> dict[str, Any]:
    return {
        "source": found.source, "data": found.digest, "method": found.plan.method,
        "objective": found.plan.aim.objective, "seed": found.plan.seed, "n": len(found.values),
        "trials": found.trials.n, "weights": found.weights, "value": found.value,
        "equal_weights": found.equal_value, "best": plain_rows(frame),
    }  # fmt: skip


def _print(found: "SearchResult", frame: Any) -> None:
    from rich.table import Table

    from app.research import tables
    from opportunity.contracts import DETECTOR_NAMES

    console = tables.console()
    stamp = f", {found.source}" if found.source else ""
    table = Table(title=f"best of {len(found.values):,} vectors by {found.plan.aim.objective}"
                  f"{stamp}")
    names = [n for n in SHOWN if n in frame.columns]
    for name in names:
        table.add_column(HEADS.get(name, name), justify="right", no_wrap=True)
    table.add_column("weights")  # wraps where there is no room
    for row in plain_rows(frame):
        cells = [tables.number(n, row[n]) for n in names]
        table.add_row(*cells, tables.short_weights({n: row[n] for n in DETECTOR_NAMES}))
    console.print(table)
    console.print(
        f"equal weights {tables.number('value', found.equal_value)}; "
        f"{tables.trials(found.trials.n)}",
        highlight=False,
    )
    if found.weights is None:
        arguments.complain("no vector has a value: fewer trades than --least-trades in each")
        return
    console.print(f"--weights {weights_text(found.weights)}", highlight=False, soft_wrap=True)
    arguments.complain("the best of many is the luckiest too: `opportunity walkforward` tests it")
