"""`opportunity restore`: put a copy of the database in its place."""

import argparse
import sys
from typing import Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED

NAME: Final = "restore"

EPILOG: Final = """\
examples:
  opportunity restore ~/.opportunity/backups/backup-20260105T120000Z.sqlite
  opportunity restore monday.dump --yes --json

Stop the server first: a database that is open is refused. The copy is checked before anything is
touched, and the old database is kept: its place is printed.

exit codes: 0 done, 1 failed (nothing was changed), 2 bad usage or not confirmed
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="put a copy of the database in its place", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Replace the database by a copy that `opportunity backup` has made; a copy of "
        "an older version is brought up to date on the next start.",
    )
    option = parser.add_argument
    option("file", type=arguments.file, metavar="FILE", help="the copy")
    option("--yes", action="store_true", help="do not ask")
    option("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    option("--json", action="store_true", help="print one JSON document instead of lines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, put back, print, and return the exit code."""
    from app.research.shown import Shown
    from opportunity.config import load_settings
    from opportunity.errors import OpportunityError
    from opportunity.feeds.clock import wall_ms
    from opportunity.storage.engines import file_of, parse_url, shown
    from opportunity.storage.restore import restore

    try:
        settings = load_settings({"home": args.home})
        url = parse_url(settings.database)
        if not args.yes and not _confirmed(
            f"replace {file_of(url) or shown(url)} by {args.file}?"
        ):
            arguments.complain("not confirmed, nothing was changed (--yes does not ask)")
            return BAD_USAGE
        with Shown("putting the database back", "bytes") as bar:
            done = restore(url, args.file, settings.home / "backups", wall_ms, bar.tell)
    except (OpportunityError, OSError) as error:
        arguments.complain(str(error))
        return FAILED
    if args.json:
        arguments.write_json(done.as_dict())
        return DONE
    arguments.say(f"the database is that of {args.file.name}, schema {done.schema}")
    if done.old is not None:
        arguments.say(f"the old one is kept: {done.old}")
    return DONE


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
