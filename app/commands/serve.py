"""`opportunity serve`: the agent, the page, the REST and WebSocket API in one process."""

import argparse
from typing import Any


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    parser = verbs.add_parser(
        "serve",
        help="run the agent with the web page and the API",
        description="Run the agent with the web page at / and the API under /api. Without flags "
        "it watches a simulated market, needs nothing from outside and listens on loopback only.",
        epilog="examples:\n"
        "  opportunity serve\n"
        "  opportunity serve --feed exchange --exchange kraken --top 20\n"
        "  opportunity serve --feed replay --data data --symbols BTC/USDT,ETH/USDT --speed 3600",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--auth", action="store_true", default=None,
        help="ask everybody for a login, also on this machine; always so beyond loopback",
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM), for https")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key (PEM)")
    parser.add_argument(
        "--origins", metavar="A,B", help="origins under which people reach the server, e.g. "
        "https://desk.example.org"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N",
        help="processes that serve clients (1); more than one need REDIS_URL",
    )
    parser.add_argument(
        "--agent-url", metavar="URL",
        help="serve clients for the agent of another host, see docs/workers.md",
    )
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (8000)")
    parser.add_argument(
        "--feed",
        choices=("simulated", "replay", "exchange"),
        help="where bars come from (simulated)",
    )
    parser.add_argument("--data", metavar="DIR", help="recorded bars for --feed replay")
    parser.add_argument(
        "--exchange",
        metavar="NAME",
        help="for --feed exchange any that ccxt knows (binance); for --feed replay the folder in "
        "DIR, when there are several",
    )
    parser.add_argument(
        "--exchange-url", metavar="URL", help="a local exchange instead, see `opportunity exchange`"
    )
    parser.add_argument(
        "--top", type=int, metavar="N", help="watch the N symbols with the largest turnover (40)"
    )
    parser.add_argument("--quote", help="quote currency of those (the exchange's usual one)")
    parser.add_argument("--symbols", metavar="A,B", help="symbols to watch (default: all)")
    parser.add_argument("--timeframes", metavar="A,B", help="timeframes to score")
    parser.add_argument(
        "--speed", type=float, help="feed seconds per second (simulated 60, replay 60)"
    )
    parser.add_argument("--start", metavar="TIME", help="feed time to start from, ISO 8601 UTC")
    parser.add_argument("--seed", type=int, help="seed of the simulated market (7)")
    parser.add_argument(
        "--record", action="store_true", default=None,
        help="log all that comes in and is done in the data folder, for `opportunity verify`",
    )
    parser.add_argument("--home", metavar="DIR", help="data folder (default ~/.opportunity)")
    parser.add_argument("--log-level", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    import asyncio

    from app.commands.arguments import BAD_USAGE, complain
    from opportunity.config import SettingsError, load_settings

    flags: dict[str, Any] = {
        name: value
        for name, value in vars(args).items()
        if name not in {"verb", "run"} and value is not None
    }
    try:
        settings = load_settings(flags)
        if settings.workers > 1 or settings.agent_url:
            from app.edge.supervisor import supervise

            return asyncio.run(supervise(settings, flags))
        from app.server import serve

        return asyncio.run(serve(settings))
    except SettingsError as error:
        complain(str(error))
        return BAD_USAGE
