"""`opportunity user`: who may log in."""

import argparse
import getpass
import sys
from collections.abc import Callable
from typing import Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED

NAME: Final = "user"
BY: Final = "command"
"""Who has changed it, in the audit."""

ROLES: Final = ("viewer", "trader", "admin")
"""A test holds this equal to `app.auth.users.ROLES`, which is slow to import."""

EPILOG: Final = """\
examples:
  opportunity user add anna --role admin
  opportunity user add desk --role trader --password-stdin < password.txt
  opportunity user list --json
  opportunity user role desk viewer
  opportunity user password desk
  opportunity user remove desk

A running server knows of a change within a second.
exit codes: 0 done, 1 failed, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="add, list, change and remove users", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Users log in to the page and the API by password. A viewer reads, a trader "
        "also turns the agent and trades on paper, an admin also sees to users and tokens.",
    )
    verbs = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    adding = verbs.add_parser("add", help="add a user; asks for the password")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--role", choices=ROLES, default="viewer", help="(default: viewer)")
    password = verbs.add_parser("password", help="give another password; ends all logins")
    password.add_argument("name", metavar="NAME")
    role = verbs.add_parser("role", help="give another role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=ROLES)
    removing = verbs.add_parser("remove", help="remove a user; ends all logins")
    removing.add_argument("name", metavar="NAME")
    listing = verbs.add_parser("list", help="list the users")
    for one in (adding, password):
        one.add_argument(
            "--password-stdin", action="store_true", help="read it from standard input, one line"
        )
    for one in (adding, password, role, removing, listing):
        one.add_argument("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    listing.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it, and return the exit code."""
    from app.auth.users import opened
    from opportunity.config import load_settings

    settings = load_settings({"home": args.home})
    with opened(settings) as (store, users):
        if args.what == "list":
            return _list(store, args.json)
        return answered(lambda: _change(args, users))


def answered(work: Callable[[], int]) -> int:
    """Return the exit code of work; what it refuses is said in one line."""
    from opportunity.errors import ConflictError

    try:
        return work()
    except KeyError as error:
        arguments.complain(str(error.args[0]))
        return FAILED
    except ConflictError as error:
        arguments.complain(str(error))
        return FAILED
    except ValueError as error:
        arguments.complain(str(error))
        return BAD_USAGE


def _change(args: argparse.Namespace, users: Any) -> int:
    from app.auth.users import check_name
    from opportunity.storage.accounts import Change

    name = check_name(args.name)
    if args.what == "add":
        made = users.add(name, args.role, _hashed(args, name), BY)
        sys.stdout.write(f"user {made.name} added, {made.role}\n")
    elif args.what == "password":
        users.change(name, Change(None, _hashed(args, name)), BY)
        sys.stdout.write(f"password of {name} changed, its logins have ended\n")
    elif args.what == "role":
        users.change(name, Change(args.role), BY)
        sys.stdout.write(f"user {name} is {args.role} now\n")
    else:
        users.remove(name, BY)
        sys.stdout.write(f"user {name} removed\n")
    return DONE


def _hashed(args: argparse.Namespace, name: str) -> str:
    from app.auth.passwords import hash_of

    return hash_of(_password(args.password_stdin), name)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise ValueError("password must come from a terminal, or with --password-stdin")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise ValueError("password must be the same twice, was not")
    return first


def _list(store: Any, as_json: bool) -> int:
    known = store.read()
    rows = [
        {
            "name": user.name, "role": user.role, "has_password": bool(user.password),
            "logins": sum(one.account == user.name for one in known.logins),
            "created_at": user.created_at, "changed_at": user.changed_at,
        }
        for user in known.accounts
    ]  # fmt: skip
    if as_json:
        arguments.write_json(rows)
    else:
        print_table(rows, ("name", "role", "has_password", "logins", "changed_at"))
    return DONE


def print_table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Print rows, times in words."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from opportunity.market.timeframe import utc_text

    table = Table()
    for name in columns:
        table.add_column(name, no_wrap=name == "id")
    times = {"changed_at", "expires", "last_used"}
    for row in rows:
        shown = [
            ("never" if row[name] is None else utc_text(row[name])[:16]) if name in times
            else escape(str(row[name]))
            for name in columns
        ]  # fmt: skip
        table.add_row(*shown)
    Console().print(table)
