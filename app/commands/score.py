"""`opportunity score`: the explained score of the last bar of one stream."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED

if TYPE_CHECKING:
    from opportunity.market.bars import Bars
    from opportunity.market.observations import Record
    from opportunity.scoring.explanation import Explanation
    from opportunity.scoring.scores import Scores

NAME: Final = "score"
N_BARS: Final = 1_000

EPILOG: Final = """\
examples:
  opportunity score btc.parquet --timeframe 1h
  opportunity score --data data/binance --symbol BTC/USDT --timeframe 4h --json

exit codes: 0 done, 1 no score (too few bars, or bars that break a rule), 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="score the last bar of a file or a stored stream and explain it",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Score the last closed bar and show what each detector contributed. Bars "
        "come from FILE (.parquet .feather .csv .json) or from a folder of stored bars.",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    option = parser.add_argument
    option("file", nargs="?", type=arguments.file, metavar="FILE", help="file of bars")
    option("--data", type=arguments.folder, metavar="DIR",
           help="exchange folder, or its parent")
    option("--exchange", metavar="NAME", help="exchange folder in DIR, when there are several")
    option("--symbol", type=arguments.one_symbol, metavar="BTC/USDT",
           help="symbol; needed with --data, else a label")
    option("--timeframe", type=arguments.one_timeframe, metavar="TF",
           help="timeframe; needed with --data, else of the bars in FILE")
    option("--at", type=arguments.moment, metavar="TIME",
           help="score the last bar that closed by TIME (ISO 8601, UTC)")
    arguments.add_weights(parser)
    option("--json", action="store_true", help="print one JSON document instead of a table")


def run(args: argparse.Namespace) -> int:
    """Score, print, and return the exit code."""
    from opportunity.errors import OpportunityError
    from opportunity.scoring.ensemble import score

    if (args.file is None) == (args.data is None):
        arguments.complain("give either FILE or --data DIR")
        return BAD_USAGE
    missing = [n for n in ("symbol", "timeframe") if getattr(args, n) is None]
    if args.data is not None and missing:
        arguments.complain("--data needs " + " and ".join(f"--{n}" for n in missing))
        return BAD_USAGE
    if args.at is not None and args.timeframe is None:
        arguments.complain("--at needs --timeframe")
        return BAD_USAGE
    try:
        bars = _bars(args)
        if len(bars) == 0:
            arguments.complain("no closed bar to score")
            return FAILED
        known = _records(args, bars)
        scores = score(bars, args.weights, observations=known)
        explained, note = _with_success(scores, scores.explain(observations=known))
    except (OpportunityError, ValueError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    if args.json:
        arguments.write_json(_document(bars, explained) | {"success_note": note})
    else:
        _print(bars, explained, note)
    if explained.final != explained.final:
        arguments.complain(f"100 bars are needed for a score, there were {len(bars)}")
        return FAILED
    return DONE


def _records(args: argparse.Namespace, bars: "Bars") -> list["Record"]:
    """Read what the data folder holds besides bars; a single file has none."""
    from opportunity.feeds.record_folder import FolderRecords
    from opportunity.market.store import BarStore

    if args.data is None:
        return []
    beside = FolderRecords(BarStore(args.data, args.exchange).folder.parent)
    try:
        return beside.about(bars)
    except ValueError as error:  # as in a scan, a file that breaks a rule costs the records only
        arguments.complain(f"records: {error}")
        return []


def _with_success(scores: "Scores", explained: "Explanation") -> tuple["Explanation", str]:
    from dataclasses import replace

    from opportunity.live.calibrate import saved_calibration
    from opportunity.scoring.calibration import NO_CALIBRATION, UNCALIBRATED

    known = saved_calibration()
    if known is None:
        return explained, f"{UNCALIBRATED}: {NO_CALIBRATION}"
    success, note = known.of_last(scores)
    return replace(explained, success=success), note


def _bars(args: argparse.Namespace) -> "Bars":
    from opportunity.market.readers import read_bars
    from opportunity.market.store import BarStore
    from opportunity.market.timeframe import length_ms

    if args.data is not None:
        opened = None if args.at is None else args.at - length_ms(args.timeframe) + 1
        store = BarStore(args.data, args.exchange)
        return store.load(args.symbol, args.timeframe, end=opened, limit=N_BARS)
    bars = read_bars(args.file)
    if args.timeframe is not None:
        bars = bars.label(timeframe=args.timeframe)
    if args.symbol is not None:
        bars = bars.label(symbol=args.symbol)
    if args.at is not None:
        bars = bars[: int((bars.close_time <= args.at).sum())]
    return bars


def _document(bars: "Bars", explained: "Explanation") -> dict[str, Any]:
    return {
        "symbol": bars.symbol or None, "source": bars.source or None, "n_bars": len(bars),
        "price": float(bars.close[-1]), **explained.as_dict(),
    }


def _print(bars: "Bars", explained: "Explanation", note: str) -> None:
    import pandas as pd
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from opportunity.scoring.wording import sees

    console = Console()
    if not console.is_terminal:  # a pipe has no width: nothing is cut
        console.width = 500
    closed = pd.Timestamp(explained.closed, unit="ms").strftime("%Y-%m-%d %H:%M")
    what = " ".join(part for part in (bars.symbol, explained.timeframe) if part) or "bars"
    when = f"bar closed {closed} UTC" if bars.timeframe else f"bar opened {closed} UTC"
    console.print(f"{what}, {when}, close {bars.close[-1]:.6g}, {len(bars)} bars")
    console.print(
        f"score {_number(explained.final)}  {explained.direction}  {explained.advice}  "
        f"confidence {_number(explained.confidence)}  "
        f"success {_number(explained.success)}" + (f" ({note})" if note else "")
    )
    console.print(
        explained.headline, style="bold", markup=False, highlight=False,
        soft_wrap=not console.is_terminal,
    )
    console.print(
        f"net {_number(explained.net, True)} = bull {_number(explained.bull_mass)} - bear "
        f"{_number(explained.bear_mass)}; disagreement {_number(explained.disagreement)}, "
        f"coverage {_number(explained.coverage)}; trend {explained.trend}, "
        f"volatility {explained.volatility_level} (rank {_number(explained.volatility)})"
    )
    table = Table()
    for name in ("detector", "score", "gated", "confidence", "weight", "contribution", "sees"):
        table.add_column(name, justify="left" if name in ("detector", "sees") else "right")
    for part in explained.components:
        if part.available:
            numbers = [_number(part.score, True), _number(part.gated, True),
                       _number(part.confidence), f"{part.weight:.3f}",
                       _number(part.contribution, True), escape(sees(part))]
        else:
            numbers = ["-", "-", "-", f"{part.weight:.3f}", "unavailable", escape(part.reason)]
        table.add_row(part.detector, *numbers)
    console.print(table)


def _number(value: float, signed: bool = False) -> str:
    if value != value:
        return "-"
    return f"{value:+.4f}" if signed else f"{value:.4f}"
