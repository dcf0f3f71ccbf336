"""`opportunity calibrate`: learn from stored bars how often scores were right."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import DONE, FAILED

if TYPE_CHECKING:
    from opportunity.scoring.calibration import Calibration

NAME: Final = "calibrate"

EPILOG: Final = """\
examples:
  opportunity calibrate --data data/binance --timeframes 1h,4h
  opportunity calibrate --data data/binance --timeframes 1h --symbols BTC/USDT,ETH/USDT --json

The result is kept in the data folder (calibration.json). Scans, scores and the server use it while
weights, version and kind of bars are the same; after a change of any, calibrate again.

exit codes: 0 done, 1 nothing could be calibrated, 2 bad usage
"""

READING: Final = (
    "Out of sample: stated before the outcome was known, calls with a direction. 0.5 for every "
    "call gets a Brier score of 0.25; an ECE below `by chance` shows no fault."
)


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="learn from stored bars how often scores were right", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Score stored bars, see which barrier the price touched first after each "
        "call (1.5 ATR away, within 24 bars), and turn scores into the probability that their "
        "direction is right, one timeframe at a time, all symbols together. The table compares "
        "probabilities stated before the outcome was known with the bare score and confidence.",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    option = parser.add_argument
    option("--data", type=arguments.folder, required=True, metavar="DIR",
           help="exchange folder, or its parent")
    option("--exchange", metavar="NAME", help="exchange folder in DIR, when there are several")
    option("--symbols", type=arguments.symbols, metavar="A,B",
           help="only these, as BTC/USDT or BTCUSDT (default: all that are stored)")
    option("--timeframes", type=arguments.timeframes, metavar="TF,...", required=True,
           help="timeframes to calibrate: 1m 5m 15m 30m 1h 2h 4h 6h 12h 1d 1w")
    option("--method", choices=("isotonic", "logistic"), default="isotonic",
           help="rising curve over the strength (default), or a logistic regression on strength, "
           "confidence, disagreement and coverage")
    option("--bars", type=arguments.count, metavar="N", help="only the newest N of each stream")
    option("--at", type=arguments.moment, metavar="TIME",
           help="only bars that closed by TIME (ISO 8601, UTC)")
    arguments.add_weights(parser)
    option("--dry-run", action="store_true", help="print only, keep nothing")
    option("--json", action="store_true", help="print one JSON document instead of a table")


def run(args: argparse.Namespace) -> int:
    """Calibrate, print, and return the exit code."""
    from rich.console import Console
    from rich.progress import Progress

    from opportunity.errors import OpportunityError
    from opportunity.live.calibrate import calibrate, calibration_path
    from opportunity.market.store import BarStore

    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("scoring")

            def tell(done: int, n_streams: int) -> None:
                words = "measuring" if done == n_streams else "scoring"
                bar.update(task, completed=done, total=n_streams, description=words)

            found = calibrate(
                BarStore(args.data, args.exchange), args.symbols, args.timeframes, args.weights,
                args.method, args.bars, args.at, save=not args.dry_run, progress=tell,
            )
    except (OpportunityError, ValueError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    kept = bool(found.calibrators) and not args.dry_run
    if args.json:
        where = str(calibration_path()) if kept else None
        arguments.write_json(found.as_dict() | {"errors": found.errors, "kept": where})
    else:
        _print(found, str(calibration_path()) if kept else "")
    return DONE if found.calibrators else FAILED


def _print(found: "Calibration", kept: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:  # a pipe has no width: nothing is cut
        console.width = 200
    n = len(found.symbols)
    table = Table(title=f"{found.source} ({found.family} bars), {n} symbol{'s' if n > 1 else ''}")
    for name in ("timeframe", "calls", "worth", "right", "", "Brier", "95 %", "ECE", "by chance",
                 "log loss", "AUC"):
        table.add_column(name, justify="left" if name in ("timeframe", "") else "right")
    words = {"final": "score", "confidence": "confidence", "success": "calibrated"}
    for frame, made in found.calibrators.items():
        head = [frame, f"{made.n_calls:,}", f"{made.n_effective:,.0f}", f"{made.hit_rate:.1%}"]
        measured = found.measured.get(frame)
        if measured is None:
            table.add_row(*head, "not measured")
            continue
        for name, word in words.items():
            one = getattr(measured, name)
            low, high = one.intervals["brier"]
            table.add_row(*head, word, f"{one.brier:.4f}", f"{low:.4f}..{high:.4f}",
                          f"{one.ece:.4f}", f"{one.ece_chance:.4f}", f"{one.log_loss:.4f}",
                          f"{one.auc:.3f}")
            head = [""] * 4
    if found.calibrators:
        console.print(table)
        console.print(READING, highlight=False)
    for frame, why in found.refused.items():
        arguments.complain(f"{frame} stays uncalibrated: {why}")
    for what, error in sorted(found.errors.items()):
        arguments.complain(f"{what}: {error}")
    if kept:
        console.print(f"kept in {kept}", highlight=False, soft_wrap=True)
