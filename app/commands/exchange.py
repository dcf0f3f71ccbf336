"""`opportunity exchange`: a local exchange to try the live feed on, without a network."""

import argparse
from typing import TYPE_CHECKING

from app.commands import arguments

if TYPE_CHECKING:
    from app.exchange.market import Market

DEFAULT_PORT = 8791


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    parser = verbs.add_parser(
        "exchange",
        help="run a local exchange that speaks Binance's public spot format",
        description="Run an exchange on this machine that speaks Binance's public spot REST and "
        "WebSocket format over the simulated market, or over recorded bars with --data. It can "
        "be told to misbehave; docs/local-exchange.md lists how. Loopback only.",
        epilog="examples:\n"
        "  opportunity exchange\n"
        "  opportunity exchange --data data --exchange binance --top 50 --speed 600",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help=f"port to listen on, 0 for a free one ({DEFAULT_PORT})",
    )
    parser.add_argument(
        "--symbols",
        type=arguments.symbols,
        metavar="A,B",
        help="symbols to trade (default: 40 of the simulated market, or all recorded ones)",
    )
    parser.add_argument(
        "--top",
        type=arguments.count,
        metavar="N",
        help="only the N largest; beyond 40 the simulated market invents names",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=60.0,
        metavar="X",
        help="exchange seconds per second, 0.1 to 1e7 (60)",
    )
    parser.add_argument(
        "--start",
        type=arguments.moment,
        metavar="TIME",
        help="exchange time to start from, ISO 8601 UTC",
    )
    parser.add_argument(
        "--seed", type=_seed, default=7, metavar="N", help="seed of the simulated market (7)"
    )
    parser.add_argument(
        "--data",
        type=arguments.folder,
        metavar="DIR",
        help="recorded bars to replay instead of simulated ones",
    )
    parser.add_argument(
        "--exchange", metavar="NAME", help="exchange folder in DIR, when there are several"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    import asyncio

    if args.exchange is not None and args.data is None:
        arguments.complain("--exchange names a folder in --data, which was not given")
        return arguments.BAD_USAGE
    return asyncio.run(_serve(args))


async def _serve(args: argparse.Namespace) -> int:
    import asyncio
    import signal

    from app.exchange.server import LocalExchange

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    exchange = LocalExchange(_market(args), args.port, args.speed, args.start, args.seed)
    async with exchange:
        _announce(exchange.core.market, exchange.url, args.speed)
        await stop.wait()
    return arguments.DONE


def _market(args: argparse.Namespace) -> "Market":
    from app.exchange.market import SimulatedSource
    from app.exchange.recorded import RecordedSource
    from opportunity.market.store import BarStore

    if args.data is not None:
        return RecordedSource(
            BarStore(args.data, args.exchange), args.symbols, args.start, args.top
        )
    return SimulatedSource(args.symbols[: args.top] if args.symbols else args.top or 40, args.seed)


def _announce(market: "Market", url: str, speed: float) -> None:
    import sys

    sys.stdout.write(
        f"local exchange: {len(market.symbols)} symbols, {market.source} market, {speed:g}x, at "
        f"{url}; try: opportunity serve --feed exchange --exchange binance --exchange-url {url}\n"
    )
    sys.stdout.flush()


@arguments.checked
def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise ValueError(f"must be a whole number in 0..65535, was {text!r}")
    return int(text)


@arguments.checked
def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"must be a number in 0.1..1e7, was {text!r}") from error
    if not 0.1 <= value <= 1e7:
        raise ValueError(f"must be a number in 0.1..1e7, was {text!r}")
    return value


@arguments.checked
def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise ValueError(f"must be a whole number >= 0, was {text!r}")
    return int(text)
