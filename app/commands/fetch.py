"""`opportunity fetch`: download bars of an exchange."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED

if TYPE_CHECKING:
    from app.fetch.report import Result
    from opportunity.config import Settings

NAME: Final = "fetch"
STOPPED: Final = 130

EPILOG: Final = """\
examples:
  opportunity fetch --exchange binance --symbols BTC/USDT,ETH/USDT --timeframes 1m,1h \\
      --since 2024-01-01
  opportunity fetch --exchange kraken --top 20 --quote USD --timeframes 1h --since 2024-01-01

No key is needed. It may be stopped at any moment: the same command goes on from there. What is
stored is never asked for again. `opportunity scan --data DIR` reads the result.

exit codes: 0 done, 1 a stream is not complete (its reason is printed), 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="download bars of an exchange", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Download closed bars into DIR/{exchange}/{BASE-QUOTE}/{timeframe}.parquet. "
        "Missing bars are asked for a second time and then reported.",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    option = parser.add_argument
    option("--exchange", required=True, metavar="NAME",
           help="name of the exchange in ccxt: binance, kraken, okx, coinbase, ...")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--symbols", type=arguments.symbols, metavar="A,B",
                       help="as BTC/USDT or BTCUSDT")
    which.add_argument("--top", type=arguments.count, metavar="N",
                       help="the N with the largest turnover of 24 hours, without stablecoins")
    option("--quote", metavar="CURRENCY", type=str.upper, default="",
           help="quote currency of --top (default: the exchange's usual one)")
    option("--timeframes", type=arguments.timeframes, metavar="TF,...", required=True,
           help="1m 5m 15m 30m 1h 2h 4h 6h 12h 1d 1w; what the exchange lacks is made of shorter "
           "ones")
    option("--since", type=arguments.moment, metavar="TIME", required=True,
           help="first opening time (ISO 8601, UTC), e.g. 2024-01-01")
    option("--until", type=arguments.moment, metavar="TIME",
           help="bars that open before TIME (default: all that have closed)")
    option("--data", metavar="DIR", help="where to keep them (default: bars in the data folder)")
    option("--exchange-url", metavar="URL",
           help="a local exchange, as `opportunity exchange` starts one")
    option("--json", action="store_true", help="print one JSON document instead of a table")


def run(args: argparse.Namespace) -> int:
    """Download, print, and return the exit code."""
    import asyncio

    from app.fetch.report import print_result
    from app.logs import configure_logs
    from opportunity.config import SettingsError, load_settings
    from opportunity.feeds.exchange.venue.failures import VenueError

    configure_logs("ERROR")  # what a person should know is in the progress and the report
    if args.quote and args.top is None:
        arguments.complain("--quote belongs to --top")
        return BAD_USAGE
    try:
        settings = load_settings({"exchange_url": args.exchange_url})
        result = asyncio.run(_fetch(args, settings))
    except SettingsError as error:
        arguments.complain(str(error))
        return BAD_USAGE
    except VenueError as error:
        arguments.complain(f"{error} (opportunity doctor --exchange {args.exchange} says more)")
        return FAILED
    except ValueError as error:
        arguments.complain(str(error))
        return BAD_USAGE
    except OSError as error:
        arguments.complain(str(error))
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        arguments.complain("stopped; what came is kept, the same command goes on from there")
        return STOPPED
    if args.json:
        arguments.write_json(result.as_dict())
    else:
        print_result(result, args.timeframes)
    return FAILED if result.errors else DONE


async def _fetch(args: argparse.Namespace, settings: "Settings") -> "Result":
    import asyncio
    import signal
    import time
    from contextlib import suppress

    from app.fetch.plan import checked_span, make_plan
    from app.fetch.progress import show
    from app.fetch.report import Result
    from opportunity.feeds.clock import wall_ms
    from opportunity.feeds.exchange.history.download import Download
    from opportunity.feeds.exchange.venue.venue import Venue
    from opportunity.market.store import BarStore
    from opportunity.market.timeframe import LATEST_MS

    begun, task = time.monotonic(), asyncio.current_task()
    assert task is not None
    with suppress(RuntimeError, ValueError):  # in a thread signals are somebody else's
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    url = settings.exchange_url
    checked_span(args.since, args.until, LATEST_MS if url else wall_ms())  # it has its own time
    venue = Venue(args.exchange, url=url, folder=settings.home, wall_ms=wall_ms)
    try:
        await venue.open()
        span = checked_span(args.since, args.until, venue.clock.now())
        store = BarStore(args.data or settings.home / "bars", venue.stamp_name)
        plan = make_plan(venue, venue.markets, await _symbols(venue, args), args.timeframes)
        if venue.stamp != venue.name:
            plan.notes.append(f"this address gives {venue.stamp} bars, not those of {venue.name}")
        with show(plan.sizes(span)) as shown:
            reports = await Download(venue, store, plan.streams, span, shown, wall_ms).run()
    finally:
        await venue.close()
    return Result(venue.name, venue.stamp, store.folder, span, plan, reports,
                  time.monotonic() - begun)


async def _symbols(venue: Any, args: argparse.Namespace) -> list[str]:
    from opportunity.feeds.exchange.universe import largest

    if args.top is None:
        named: list[str] = args.symbols
        return named
    tickers = await venue.tickers() if venue.has("fetchTickers") else {}
    turnover = {s: t.quote_volume for s, t in tickers.items() if t.quote_volume > 0}
    return list(largest(venue.markets, turnover, args.top, args.quote))
