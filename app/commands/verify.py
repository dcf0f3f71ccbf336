"""`opportunity verify`: hold a recorded session against a backtest of the same bars."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import DONE, FAILED

if TYPE_CHECKING:
    from opportunity.backtest.divergence import Divergence
    from opportunity.backtest.parity import Verification

NAME: Final = "verify"

EPILOG: Final = """\
examples:
  opportunity serve --record --speed 3600      (stop it after a while)
  opportunity verify
  opportunity verify 20250602T120000Z --json

exit codes: 0 the same in every row, 1 different or not readable, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="hold a recorded session against its backtest", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run the bars of a session that `opportunity serve --record` has written "
        "through the backtest, and compare signals, orders, fills, trades and equity one by one.",
    )
    option = parser.add_argument
    option("session", nargs="?", default="latest", metavar="SESSION",
           help="its name or folder, or latest (default: latest)")
    option("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    option("--json", action="store_true", help="print one JSON document instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify, print, and return the exit code."""
    from app.verify import verify_session
    from opportunity.config import load_settings
    from opportunity.errors import OpportunityError

    try:
        found = verify_session(args.session, load_settings({"home": args.home}).home)
    except (OpportunityError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    if args.json:
        arguments.write_json(found.as_dict())
    else:
        _print(found)
    return DONE if found.equal else FAILED


def _print(found: "Verification") -> None:
    from rich.console import Console
    from rich.table import Table

    from opportunity.market.timeframe import utc_text

    console = Console()
    table = Table(title=f"session {found.session}, {found.source}")
    for name in ("", "recorded", "backtest", "equal", "share"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for match in found.matches:
        # Of nothing nothing was shown to be the same.
        share = f"{match.share:.2%}" if match.recorded or match.replayed else "-"
        table.add_row(match.kind, f"{match.recorded:,}", f"{match.replayed:,}",
                      f"{match.equal:,}", share)
    console.print(table)
    console.print(
        f"{found.n_batches:,} batches of {found.n_symbols} symbols, {utc_text(found.start)} to "
        f"{utc_text(found.end)}, {found.n_configs} configs"
    )
    if found.torn:
        console.print(f"left out: {found.torn:,} bytes at the end that were not written whole")
    if found.divergence is None:
        console.print("the backtest does what the agent did")
    else:
        console.print(_words(found.divergence), soft_wrap=True)


def _words(first: "Divergence") -> str:
    from opportunity.market.timeframe import utc_text

    where = f"different from batch {first.batch} on, {utc_text(first.time)}"
    what = f": {first.kind}"
    if first.symbol:
        what += f" of {first.symbol}"
    if first.field:
        what += f", {first.field} was {first.recorded!r} and is {first.replayed!r}"
    elif first.kind != "log":
        what += ", a row is in one of both only"
    return f"{where}{what}\ncause: {first.cause}: {first.reason}"
