"""`opportunity doctor`: check what the program needs, and say what to do."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED

if TYPE_CHECKING:
    from app.doctor.check import Check
    from opportunity.config import Settings

NAME: Final = "doctor"

EPILOG: Final = """\
examples:
  opportunity doctor
  opportunity doctor --exchange kraken
  opportunity doctor --exchange-url http://127.0.0.1:8791 --json

Nothing is changed. Without --exchange an exchange that cannot be reached is a warning.

exit codes: 0 nothing failed, 1 a check failed, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="check what the program needs and say what to do", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Check versions, settings, data folder, disk, database, compiled kernels, "
        "the port, and an exchange: name, connection, markets, WebSocket, clock, bans.",
    )
    option = parser.add_argument
    option("--exchange", metavar="NAME", help="exchange to reach (default: that of the settings, "
           "else binance)")
    option("--exchange-url", metavar="URL", help="a local exchange instead of the real one")
    option("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    option("--json", action="store_true", help="print one JSON document instead of lines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, print, and return the exit code."""
    from app.doctor.check import worst
    from app.logs import configure_logs

    configure_logs("ERROR")  # the checks themselves say what is wrong
    show = (lambda _: None) if args.json else _print
    try:
        checks = _checks(args, show)
    except ValueError as error:
        arguments.complain(str(error))
        return BAD_USAGE
    verdict = worst(checks)
    if args.json:
        arguments.write_json({"verdict": verdict, "checks": [c.as_dict() for c in checks]})
    return FAILED if verdict == "FAIL" else DONE


def _checks(args: argparse.Namespace, show: Any) -> list["Check"]:
    """Run every check, showing each as soon as it is known."""
    import asyncio

    from app.doctor.compiled import check_kernels
    from app.doctor.database import check_backups, check_database
    from app.doctor.exchange import Target, check_exchange
    from app.doctor.machine import check_disk, check_folder, check_port
    from app.doctor.software import check_packages, check_python
    from opportunity.errors import unknown
    from opportunity.feeds.clock import wall_ms
    from opportunity.feeds.exchange.venue.client import venue_names

    checks: list[Check] = []

    def note(*found: "Check") -> None:
        for check in found:
            checks.append(check)
            show(check)

    if args.exchange and args.exchange not in venue_names():
        raise ValueError(unknown("exchange", args.exchange, venue_names()))
    note(check_python(), check_packages())
    settings, found = _settings(args)
    note(found)
    if settings is None:
        return checks
    note(check_folder(settings.home), check_disk(settings.home))
    note(check_database(settings.database), check_backups(settings.home / "backups", wall_ms()))
    note(check_kernels(), check_port(settings))
    live = settings.feed == "exchange"
    name = args.exchange or (settings.exchange if live else "") or "binance"
    needed = bool(args.exchange or settings.exchange_url or live)
    target = Target(name, settings.exchange_url, settings.home, needed, wall_ms)
    note(*asyncio.run(check_exchange(target)))
    return checks


def _settings(args: argparse.Namespace) -> tuple["Settings | None", "Check"]:
    from app.doctor.check import Check
    from opportunity.config import SettingsError, load_settings

    try:
        flags = {"home": args.home, "exchange_url": args.exchange_url}
        settings = load_settings(flags)
    except SettingsError as error:
        return None, Check("settings", "FAIL", str(error), "correct or unset it, then try again")
    return settings, Check("settings", "OK", f"readable; {settings.feed} market")


def _print(check: "Check") -> None:
    import sys

    from rich.console import Console

    from app.terminal import visible

    style = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}[check.verdict]
    line = visible(check.line(), sys.stdout.encoding or "utf-8")
    head, _, rest = line.partition(": ")
    console = Console(highlight=False, soft_wrap=True)
    console.print(head, style=style, markup=False, end="")
    console.print(f": {rest}", markup=False)
