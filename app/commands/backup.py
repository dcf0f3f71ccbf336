"""`opportunity backup`: copy the database while it is in use."""

import argparse
from pathlib import Path
from typing import Any, Final

from app.commands import arguments
from app.commands.arguments import DONE, FAILED

NAME: Final = "backup"

EPILOG: Final = """\
examples:
  opportunity backup
  opportunity backup --to /mnt/copies/monday.sqlite --json

A server may run meanwhile: the copy is the database as it is at one moment. It is read from its
first page to its last before it is called done. PostgreSQL needs pg_dump (postgresql-client).

exit codes: 0 done, 1 failed (the reason is printed), 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="copy the database, also while a server runs", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write a checked copy of the database: settings, weights, accounts, fills, "
        "trades, decisions, events. Recorded bars and sessions are files and are not in it.",
    )
    option = parser.add_argument
    option("--to", type=_new_file, metavar="FILE",
           help="file to write, not there yet (default: a new one in the data folder's backups)")
    option("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    option("--json", action="store_true", help="print one JSON document instead of a line")
    parser.set_defaults(run=run)


def _new_file(text: str) -> Path:
    path = Path(text).expanduser()
    if path.exists():
        raise argparse.ArgumentTypeError(f"must not be there yet, was {text!r}")
    return path


def run(args: argparse.Namespace) -> int:
    """Copy, print, and return the exit code."""
    from app.research.shown import Shown
    from opportunity.config import load_settings
    from opportunity.errors import OpportunityError
    from opportunity.feeds.clock import wall_ms
    from opportunity.storage.backup import back_up, file_name
    from opportunity.storage.engines import parse_url

    try:
        settings = load_settings({"home": args.home})
        url = parse_url(settings.database)
        to = args.to or settings.home / "backups" / file_name(url, wall_ms())
        with Shown("copying the database", "bytes") as shown:
            made = back_up(url, to, shown.tell)
    except (OpportunityError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    if args.json:
        arguments.write_json(made.as_dict())
    else:
        arguments.say(f"{made.path}: {made.size / (1 << 20):,.1f} MiB, schema {made.schema}, "
                      f"in {made.seconds:.1f} s")
    return DONE
