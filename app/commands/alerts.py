"""`opportunity alerts`: see where alerts go, and try it."""

import argparse
from typing import Any, Final

from app.commands import arguments
from app.commands.arguments import DONE, FAILED

NAME: Final = "alerts"

EPILOG: Final = """\
examples:
  export OPPORTUNITY_ALERTS="phone=tgram://TOKEN/CHAT,ops=jsons://host.example.org/hook"
  opportunity alerts list
  opportunity alerts test --channel phone

exit codes: 0 done, 1 a channel did not take it or there is none, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="list the channels for alerts, or test them", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Show the channels of OPPORTUNITY_ALERTS by name, or send a test to them at "
        "once. Addresses are never shown.",
    )
    parser.add_argument("what", choices=("list", "test"), help="what to do")
    parser.add_argument("--channel", metavar="NAME", help="only this one (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List or test, and return the exit code."""
    from app.alerts.channels import open_channels
    from app.commands.arguments import BAD_USAGE, complain
    from opportunity.config import SettingsError, load_settings
    from opportunity.errors import unknown

    try:
        settings = load_settings()
        channels = open_channels(settings.alerts, settings.alerts_private)
    except SettingsError as error:
        complain(str(error))
        return BAD_USAGE
    if args.channel is not None:
        names = [channel.name for channel in channels]
        channels = tuple(c for c in channels if c.name == args.channel)
        if not channels:
            complain(unknown("channel", args.channel, names))
            return BAD_USAGE
    if not channels:
        complain("there is no channel; set OPPORTUNITY_ALERTS, e.g. phone=tgram://TOKEN/CHAT")
        return FAILED
    rows = [{"channel": channel.name, "service": channel.service} for channel in channels]
    if args.what == "test":
        for row, channel in zip(rows, channels, strict=True):
            failed = channel.send("Test", "If you can read this, alerts arrive here.")
            row["result"] = f"not sent: {failed}" if failed else "sent"
    if args.json:
        arguments.write_json(rows)
    else:
        _print(rows)
    return FAILED if any(row.get("result", "sent") != "sent" for row in rows) else DONE


def _print(rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*(escape(value) for value in row.values()))
    Console().print(table)
