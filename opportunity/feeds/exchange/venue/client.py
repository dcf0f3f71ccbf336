"""Builds ccxt's objects so that they go through one gate; the only module that imports ccxt.

The import takes seconds, so it happens inside `load`, which belongs in a thread.
"""

import ssl
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, cast

import aiohttp

from opportunity.feeds.exchange.venue.addresses import point_at
from opportunity.feeds.exchange.venue.gate import Gate
from opportunity.feeds.exchange.venue.gated import Gated, Plan

Kind = Literal["spot", "perpetual"]

KEEP_ALIVE_MS: Final = 5_000
"""Between two pings of a stream; ccxt's default of minutes would hide a dead line."""

DIAL_MS: Final = 5_000
CACHED: Final = 500
"""Bars or prints that ccxt keeps of a symbol: they are taken as they come."""


@cache
def venue_names() -> tuple[str, ...]:
    """Return ccxt's ids of all venues, read from its folder: quick, and without importing it."""
    spec = find_spec("ccxt")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "async_support"
    return tuple(sorted(p.stem for p in folder.glob("*.py") if p.stem != "__init__"))


def load(name: str) -> type[Any]:
    """Import ccxt and return its class of a venue, made to go through a gate; takes seconds."""
    import ccxt.async_support
    import ccxt.pro

    base = getattr(ccxt.pro, name, None) or getattr(ccxt.async_support, name)
    return cast(type[Any], type(base.__name__, (Gated, base), {}))


def build(kind: type[Any], plan: Plan, gate: Gate, markets: Kind = "spot") -> Any:
    """Build one of ccxt's objects; it has no session yet.

    Parameters
    ----------
    kind : type
        From `load`.
    plan : Plan
        What it is to be like.
    gate : Gate
        The venue's.
    markets : str
        ``spot`` or ``perpetual``.
    """
    client = kind({
        "enableRateLimit": plan.rate,
        "timeout": int(plan.timeout_s * 1000),
        "session": None,  # the venue's is given to it by `attach`; it must make none of its own
        "aiohttp_trust_env": False,
    })  # fmt: skip
    client.gate, client.plan = gate, plan
    client.timeout_on_exit = 0  # the session is not its own
    client.enableLastHttpResponse = False  # would keep the list of markets as text
    client.has["fetchCurrencies"] = False  # needs keys, or is of no use here
    client.options = client.deep_extend(
        client.options, _options(client, markets), dict(plan.options)
    )
    if plan.url:
        point_at(client, plan.url)
    return client


def attach(client: Any, session: aiohttp.ClientSession, context: ssl.SSLContext | bool) -> None:
    """Give a client the venue's session, in the running loop."""
    client.session, client.ssl_context = session, context
    client.own_session = False


def certificates(client: Any) -> ssl.SSLContext:
    """Read the certificates that ccxt trusts; takes some 20 ms."""
    return ssl.create_default_context(cafile=client.cafile)


def _options(client: Any, markets: Kind) -> dict[str, Any]:
    types = _types(client, ("spot",) if markets == "spot" else ("linear", "swap"))
    return {
        "defaultType": "spot" if markets == "spot" else "swap",
        "fetchCurrencies": False,
        "fetchMargins": False,
        "maxRetriesOnFailure": 0,
        "OHLCVLimit": CACHED,
        "tradesLimit": CACHED,
        "ws": {
            "keepAlive": min(client.streaming.get("keepAlive") or KEEP_ALIVE_MS, KEEP_ALIVE_MS),
            "maxPingPongMisses": 2.0,
            "connectionTimeout": DIAL_MS,
        },
        **({"fetchMarkets": {"types": types}} if types else {}),
    }


def _types(client: Any, wanted: tuple[str, ...]) -> dict[str, bool] | list[str]:
    """Return which lists of markets to load, in the venue's own way; empty where it has but one."""
    listing = client.options.get("fetchMarkets")
    known = listing.get("types", []) if isinstance(listing, dict) else []
    first = next((t for t in wanted if t in known), None)
    if first is None:
        return []
    return {t: t == first for t in known} if isinstance(known, dict) else [first]
