"""`opportunity walkforward`: choose weights on the past, trade them on what came next."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import DONE
from app.research.options import add_market, add_setup
from app.research.search_options import add_search, look, plain_rows, weights_text

if TYPE_CHECKING:
    from opportunity.backtest.walked import WalkForward

NAME: Final = "walkforward"

EPILOG: Final = """\
examples:
  opportunity walkforward BTC/USDT --from 2021-01-01 --to 2024-01-01 --folds 8
  opportunity walkforward btc-1h.parquet --method cmaes --n 500 --rolling --train 0.3 --json
  opportunity walkforward BTC/USDT --from 2021-01-01 --cluster tcp://127.0.0.1:8786

exit codes: 0 done, 1 no result (history is missing or too short, the cluster is gone), 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="choose weights on the past, trade them on what came next", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Cut the history into folds, look for weights before each, trade the choice "
        "on the bars after it, and join what the choices earned. What lies between learning and "
        "testing (purge and embargo) is used for neither.",
    )
    add_market(parser)
    add_setup(parser)
    add_search(parser, 1_000)
    option = parser.add_argument
    option("--folds", type=arguments.count, default=6, metavar="N", help="tests (default: 6)")
    option("--train", type=training, default=0.5, metavar="X",
           help="where the first test begins: a share of the span, or base bars (default: 0.5)")
    option("--rolling", action="store_true",
           help="learn from the last --train only (default: from everything before)")
    option("--purge", type=arguments.whole, metavar="BARS",
           help="base bars left out before each test (default: the longest trade)")
    option("--embargo", type=arguments.whole, metavar="BARS",
           help="base bars left out besides (default: a hundredth of the span)")
    parser.set_defaults(run=run)


@arguments.checked
def training(text: str) -> int | float:
    """Parse base bars, or a share of the span in (0, 1)."""
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"must be bars, or a share in (0, 1), was {text!r}") from error
    if not 0 < value < 1:
        raise ValueError(f"must be bars, or a share in (0, 1), was {text!r}")
    return value


def run(args: argparse.Namespace) -> int:
    """Walk forward, print, and return the exit code."""
    from opportunity.backtest.walkforward import walk_forward

    def work(history: Any, setup: Any, plan: Any, shown: Any) -> "WalkForward":
        shown.now(f"judging in {args.folds} folds", "pieces")
        return walk_forward(
            history, plan, n_folds=args.folds, train=args.train, anchored=not args.rolling,
            purge=args.purge, embargo=args.embargo, setup=setup, cluster=args.cluster,
            progress=shown.tell,
        )  # fmt: skip

    def tell(found: "WalkForward", frame: Any) -> None:
        if args.json:
            arguments.write_json(_document(found, frame))
        else:
            _print(found, frame)

    found = look(args, work, tell)
    return found if isinstance(found, int) else DONE


def _last(found: "WalkForward") -> dict[str, float]:
    from opportunity.contracts import DETECTOR_NAMES

    return dict(zip(DETECTOR_NAMES, found.weights[-1].tolist(), strict=True))


def _document(found: "WalkForward", frame: Any) -> dict[str, Any]:
    return {
        "source": found.source, "data": found.digest, "objective": found.objective,
        "trials": found.trials.n, "trades": found.trades,
        "in_sample": found.in_sample, "out_of_sample": found.out_of_sample,
        "efficiency": found.efficiency, "stability": found.stability,
        "final_equity": float(found.equity[-1]), "equal_equity": float(found.equal_equity[-1]),
        "cash": found.cash, "weights": _last(found), "folds": plain_rows(frame),
    }  # fmt: skip


def _print(found: "WalkForward", frame: Any) -> None:
    from rich.table import Table

    from app.research import tables

    console = tables.console()
    stamp = f", {found.source}" if found.source else ""
    table = Table(title=f"{len(found.folds)} folds by {found.objective}{stamp}")
    for name in ("fold", "test from", "to", "learnt bars", "judged", "in sample", "out of sample",
                 "equal weights", "trades"):  # fmt: skip
        table.add_column(name, justify="right")
    for i, (row, fold) in enumerate(zip(frame.itertuples(), found.folds, strict=True), 1):
        values = [f"{v:.3f}" if v == v else "-" for v in
                  (fold.in_sample, fold.out_of_sample, fold.equal)]  # fmt: skip
        table.add_row(str(i), f"{row.test_first:%Y-%m-%d}", f"{row.test_last:%Y-%m-%d}",
                      f"{fold.split.n_train:,}", f"{fold.n_judged:,}", *values,
                      str(int(fold.verdict.tally["n_trades"][0])))
    console.print(table)
    console.print(
        f"out of sample: {found.cash:,.2f} became {found.equity[-1]:,.2f} in {found.trades} trades "
        f"(equal weights: {found.equal_equity[-1]:,.2f})", highlight=False,
    )
    console.print(
        f"kept of what was promised: {found.efficiency:.2f}; weight that stays from choice to "
        f"choice: {found.stability:.2f}; {tables.trials(found.trials.n)}",
        highlight=False,
    )
    console.print(f"newest choice: --weights {weights_text(_last(found))}", highlight=False,
                  soft_wrap=True)
