"""The command `opportunity`: one verb a module in `app/commands`.

Exit codes: 0 done, 1 failed (the reason is printed), 2 bad usage.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from opportunity import __version__

VERBS: Final = (
    "serve", "scan", "score", "backtest", "sweep", "walkforward", "promote", "verify",
    "calibrate", "news", "warm", "fetch", "doctor", "exchange", "backup", "restore",
    "alerts", "user", "token", "openapi",
)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser with every verb; light, so that --help answers at once."""
    parser = argparse.ArgumentParser(
        prog="opportunity",
        description="A real-time opportunity agent for crypto markets.",
        epilog="Each verb has its own --help. Settings also come from the environment; see README.",
    )
    parser.add_argument("-V", "--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        import_module(f"app.commands.{name}").add(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    args = build_parser().parse_args(argv)
    from app.logs import configure_logs
    from opportunity.errors import OpportunityError

    configure_logs("WARNING")  # to standard error: a result on standard output stays clean
    try:
        code: int = args.run(args)
    except (OpportunityError, ValueError, OSError) as error:
        sys.stderr.write(f"opportunity {args.verb}: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
