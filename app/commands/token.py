"""`opportunity token`: API keys for programs, and the keys that sign access tokens."""

import argparse
import sys
from typing import Any, Final

from app.commands import arguments
from app.commands.arguments import DONE
from app.commands.user import BY, ROLES, answered, print_table

NAME: Final = "token"
DAYS: Final = 90.0

EPILOG: Final = """\
examples:
  opportunity token create notebook --role trader --days 30
  opportunity token create prometheus --days 0
  opportunity token list --json
  opportunity token revoke 4f2a91c07b3d5e68
  opportunity token rotate

The token is printed once, on standard output; it cannot be shown again.
A running server knows of a key within a second, of `rotate` within 5 seconds.
exit codes: 0 done, 1 failed, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="make, list and revoke API keys; rotate signing keys", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A program shows its API key in the header Authorization: Bearer TOKEN. "
        "`rotate` signs access tokens with a new key: those of the key before still hold, "
        "older ones do not.",
    )
    verbs = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    making = verbs.add_parser("create", help="make an API key and print it")
    making.add_argument("name", metavar="NAME", help="what it is for")
    making.add_argument("--role", choices=ROLES, default="viewer", help="(default: viewer)")
    making.add_argument(
        "--days", type=float, default=DAYS, help=f"that it lives, 0 for ever (default: {DAYS:g})"
    )
    revoking = verbs.add_parser("revoke", help="end an API key")
    revoking.add_argument("id", metavar="ID", help="as `list` shows it")
    listing = verbs.add_parser("list", help="list the API keys, without their secrets")
    rotating = verbs.add_parser("rotate", help="sign access tokens with a new key")
    for one in (making, revoking, listing, rotating):
        one.add_argument("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    for one in (making, listing):
        one.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it, and return the exit code."""
    from app.auth.users import opened
    from opportunity.config import load_settings

    settings = load_settings({"home": args.home})
    if args.what == "rotate":
        return _rotate(settings)
    with opened(settings) as (store, users):
        if args.what == "list":
            return _list(store, args.json)
        work = _create if args.what == "create" else _revoke
        return answered(lambda: work(args, users))


def _create(args: argparse.Namespace, users: Any) -> int:
    from app.auth.users import NewKey

    text, key = users.create_key(NewKey(args.name, args.role, args.days or None), BY)
    if args.json:
        arguments.write_json(_row(key) | {"token": text})
    else:
        sys.stdout.write(text + "\n")
    return DONE


def _revoke(args: argparse.Namespace, users: Any) -> int:
    users.revoke_key(args.id, BY)
    sys.stdout.write(f"token {args.id} revoked\n")
    return DONE


def _list(store: Any, as_json: bool) -> int:
    rows = [_row(key) for key in store.read().keys]
    if as_json:
        arguments.write_json(rows)
    else:
        print_table(rows, ("id", "name", "role", "made_by", "expires", "last_used"))
    return DONE


def _row(key: Any) -> dict[str, Any]:
    names = ("id", "name", "role", "made_by", "created_at", "expires", "last_used")
    return {name: getattr(key, name) for name in names}


def _rotate(settings: Any) -> int:
    from app.auth.tokens import Keyring

    kid = Keyring(settings.home).rotate()
    sys.stdout.write(f"access tokens are signed with the new key {kid} from now on\n")
    return DONE
