"""`opportunity promote`: put weights to use, if the guards let them."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED
from app.research.options import add_market, add_setup, history_of, setup_of

if TYPE_CHECKING:
    from app.promote import Examined

NAME: Final = "promote"

EPILOG: Final = """\
examples:
  opportunity promote BTC/USDT --from 2024-01-01 --weights smc=0.3,sar=0.05
  opportunity promote BTC/USDT --from 2024-01-01 --preset aggressive --to-preset mine
  opportunity promote BTC/USDT --from 2024-01-01 --weights smc=1 --force --why "paper only"

Give the guards history that the weights were not chosen on. A server that runs takes the weights
at its next start; POST /api/weights/promote puts them to use at once.

exit codes: 0 in use, 1 refused or nothing to judge on, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="put weights to use, if the guards let them", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Trade history with the weights, with equal weights and with others drawn by "
        "chance, ask the guards against luck and overfitting, and make the weights the shared ones "
        "or a preset. A failing guard refuses them, unless forced with a reason that is kept.",
    )
    add_market(parser)
    arguments.add_weights(parser)
    add_setup(parser)
    option = parser.add_argument
    option("--to-preset", metavar="NAME", help="save as a preset (default: the live weights)")
    option("--force", action="store_true", help="also where a guard fails; needs --why")
    option("--why", default="", metavar="TEXT", help="the reason; kept in the database")
    option("--by", metavar="NAME", help="who asks (default: the user of this machine)")
    option("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    option("--json", action="store_true", help="print one JSON document instead of lines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, promote, print, and return the exit code."""
    from app.presets import check_name
    from opportunity.errors import OpportunityError

    if args.weights is None:
        arguments.complain("give --weights or --preset")
        return BAD_USAGE
    if args.force and not args.why.strip():
        arguments.complain("--force needs --why TEXT")
        return BAD_USAGE
    try:
        setup_of(args)
        if args.to_preset is not None:
            check_name(args.to_preset)
    except (PermissionError, ValueError) as error:
        arguments.complain(str(error))
        return BAD_USAGE
    try:
        return _promote(args)
    except (OpportunityError, PermissionError, ValueError, OSError) as error:
        arguments.complain(str(error))
        return FAILED


def _promote(args: argparse.Namespace) -> int:
    from app.presets import Presets, check_weights
    from app.promote import RefusedError, admit, examine
    from app.research.shown import Shown
    from opportunity.config import load_settings
    from opportunity.feeds.clock import wall_ms
    from opportunity.storage.database import open_database
    from opportunity.storage.promotions import LIVE
    from opportunity.storage.repositories import Memory

    weights = check_weights(_scaled(args.weights))
    settings = load_settings({"home": args.home})
    memory = Memory(open_database(settings.database, settings.home / "backups"), wall_ms)
    try:
        with Shown("running the detectors", "bars") as shown:
            history = history_of(args, shown.tell)
            shown.now("asking the guards", "runs")
            examined = examine(history, weights, setup_of(args), memory.trials(), shown.tell)
        try:
            admit(
                examined, memory.promotions(), wall_ms(), by=args.by or _user(), why=args.why,
                force=args.force, target=args.to_preset or LIVE,
            )  # fmt: skip
        except RefusedError as error:
            _tell(args, examined, f"refused: {error}", False)
            return FAILED
        if args.to_preset is None:
            memory.weights.add(weights, "promote")
        else:
            Presets(memory.presets).save(args.to_preset, weights)
    finally:
        memory.close()
    _tell(args, examined, f"in use as {args.to_preset or LIVE}", True)
    return DONE


def _scaled(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {n: w / total for n, w in weights.items()} if total > 0 else weights


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return "command line"


def _tell(args: argparse.Namespace, examined: "Examined", text: str, promoted: bool) -> None:
    from rich.console import Console

    from app.promote import guard_rows
    from app.research import tables

    if args.json:
        arguments.write_json({
            "promoted": promoted, "forced": promoted and not examined.guards.passed,
            "target": args.to_preset or "live", "weights": examined.weights,
            "data": examined.dataset, "trials": examined.n_trials,
            "guards": guard_rows(examined.guards),
        })  # fmt: skip
    else:
        console = Console()
        for guard in examined.guards:
            word = "passed" if guard.passed else "FAILED"
            console.print(f"{word}  {guard.text}", highlight=False, soft_wrap=True)
        console.print(tables.trials(examined.n_trials), highlight=False)
    if promoted:
        if not args.json:
            console.print(text, highlight=False)
    else:
        arguments.complain(text)
