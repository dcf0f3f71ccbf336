"""`opportunity scan`: rank the symbols of stored bars."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import DONE, FAILED

if TYPE_CHECKING:
    from opportunity.live.scan_report import ScanReport

NAME: Final = "scan"
MANY: Final = 8
"""Symbols from which on progress is shown."""

EPILOG: Final = """\
examples:
  opportunity scan --data data/binance --timeframes 1h,4h,1d
  opportunity scan --data data/binance --timeframes 1h --at 2024-09-06T12:00 --rule any
  opportunity scan --data data/binance --timeframes 1h,4h --at each --json > ranking.json

exit codes: 0 done, 1 nothing could be scored, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="rank the symbols of stored bars", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Score and rank symbols from stored bars "
        "(DIR/{exchange}/{BASE-QUOTE}/{timeframe}.parquet). Timeframes that are not stored are "
        "resampled. Streams that end more than two bars before the rest are listed as stale and "
        "not ranked.",
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
           help="timeframes to score: 1m 5m 15m 30m 1h 2h 4h 6h 12h 1d 1w")
    option("--at", type=arguments.at, metavar="TIME|each",
           help="as of TIME (ISO 8601, UTC), or every symbol at its own last bar "
           "(default: the newest close in the data)")
    arguments.add_weights(parser)
    option("--rule", choices=("any", "all", "majority", "threshold"), default="majority",
           help="which timeframes must reach the threshold, or `threshold`: their weighted mean "
           "(default: majority)")
    option("--threshold", type=arguments.share, metavar="X",
           help="least score along the symbol's own direction, 0..1 "
           "(default: 0.6; 0.5 with --include-neutral)")
    option("--min-confidence", type=arguments.share, metavar="X",
           help="least confidence, 0..1 (default: what the best third of recorded scores reach)")
    option("--max-risk", type=str.upper, choices=("LOW", "MEDIUM", "HIGH"), default="MEDIUM",
           help="highest risk level let through (default: MEDIUM)")
    option("--include-neutral", action="store_true",
           help="list symbols without a direction too")
    option("--limit", type=arguments.count, metavar="N", help="print only the best N")
    option("--json", action="store_true", help="print one JSON document instead of a table")


def run(args: argparse.Namespace) -> int:
    """Scan, print, and return the exit code."""
    from opportunity.errors import OpportunityError
    from opportunity.live.scanner import scan
    from opportunity.market.store import BarStore

    try:
        with _Progress() as progress:
            store = BarStore(args.data, args.exchange)
            report = scan(store, args.symbols, args.timeframes, args.weights, _rules(args),
                          args.at, progress.tell)
    except (OpportunityError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    if args.json:
        arguments.write_json(report.as_dict(args.limit))
    else:
        _print(report, args.limit)
    return DONE if (report.evaluation.consensus.count > 0).any() else FAILED


def _rules(args: argparse.Namespace) -> Any:
    from opportunity.strategy import SCAN_CONFIDENCE, ScanRules

    threshold, least = args.threshold, args.min_confidence
    if threshold is None:
        threshold = 0.5 if args.include_neutral else 0.6
    return ScanRules(
        type=args.rule, threshold=threshold, max_risk=args.max_risk,
        min_confidence=SCAN_CONFIDENCE if least is None else least,
        exclude_neutral=not args.include_neutral,
    )


class _Progress:
    """A bar on stderr, only when that is a terminal and there is much to read."""

    def __enter__(self) -> "_Progress":
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._task: Any = None
        return self

    def tell(self, done: int, n_symbols: int) -> None:
        """Show that `done` of `n_symbols` are read."""
        if n_symbols >= MANY and self._bar.console.is_terminal:
            if self._task is None:
                self._bar.start()
                self._task = self._bar.add_task("reading", total=n_symbols)
            self._bar.update(self._task, completed=done)

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._bar.stop()


def _print(report: "ScanReport", limit: int | None) -> None:
    from rich.console import Console
    from rich.table import Table

    evaluation = report.evaluation
    console = Console()
    if not console.is_terminal:  # a pipe has no width: nothing is cut
        console.width = 240
    table = Table(title=f"{report.source} as of {_words(report.time)} UTC"
                  + (", each at its own last bar" if report.each else ""))
    for name in ("#", "symbol", "direction", "score", "confidence", "consensus", "action", "risk",
                 *evaluation.snapshot.timeframes, "price", "24h", "volume 24h", "patterns"):
        right = name not in ("symbol", "direction", "action", "risk", "patterns")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in evaluation.rows(limit):
        finals = [_number(row.timeframes.get(t)) for t in evaluation.snapshot.timeframes]
        table.add_row(
            str(row.rank), row.symbol, row.direction, _number(row.final_score),
            _number(row.confidence), _number(row.consensus), row.recommended_action,
            row.risk_level, *finals, f"{row.price:.6g}", f"{row.change_24h:+.1%}",
            f"{row.volume_24h:,.0f}", ", ".join(row.patterns),
        )
    console.print(table, no_wrap=True, crop=False)
    scored = int((evaluation.consensus.count > 0).sum())
    stale = sorted({s.symbol for s in report.stale})
    console.print(
        f"{len(evaluation)} of {scored} scored symbols pass, "
        f"{len(evaluation.snapshot.symbols)} read in {report.duration_ms / 1e3:.1f} s"
    )
    vetoed = evaluation.trust_summary.n_vetoed
    if vetoed:
        console.print(f"not trusted: {vetoed} symbols whose bars lack too much (see docs/trust.md)")
    if stale:
        console.print(f"stale: {len(report.stale)} streams of {len(stale)} symbols ended earlier "
                      f"({', '.join(stale[:6])}{', ...' if len(stale) > 6 else ''}); "
                      "--at each ranks them at their own last bar")
    if report.unscored:
        console.print(f"unscored: {len(report.unscored)} streams with too few bars ("
                      + ", ".join(f"{s} {t}: {n}" for s, t, n in report.unscored[:6])
                      + (", ...)" if len(report.unscored) > 6 else ")"))
    for what, error in sorted(report.errors.items()):
        arguments.complain(f"{what}: {error}")


def _number(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.2f}"


def _words(time: int) -> str:
    import pandas as pd

    return pd.Timestamp(time, unit="ms").strftime("%Y-%m-%d %H:%M")
