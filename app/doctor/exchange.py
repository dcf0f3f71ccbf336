"""An exchange: reached by name, over REST and by WebSocket; its clock; bans in force."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from app.doctor.check import Check, Verdict
from opportunity.feeds.exchange.venue import client as ccxt_client
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.venue.proxies import proxy_for
from opportunity.feeds.exchange.venue.venue import Venue
from opportunity.market.timeframe import length_ms, utc_text

TIMEOUT_S: Final = 4.0
"""Of one step: without a network everything is said within two of them."""

MARKETS_S: Final = 20.0
"""Of the list of markets: some are many megabytes."""

SLOW_S: Final = 2.0
SKEW_WARN_MS: Final = 1_000
SKEW_FAIL_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Target:
    """Which exchange is looked at.

    Parameters
    ----------
    name : str
        ccxt's id.
    url : str
        Address of a local exchange; empty for the real one.
    home : Path
        Where bans are kept.
    needed : bool
        Whether somebody asked for it: if not, being without a network is no failure.
    wall_ms : callable
        Wall time, ms UTC.
    """

    name: str
    url: str
    home: Path
    needed: bool
    wall_ms: Callable[[], int]

    @property
    def bad(self) -> Verdict:
        """The verdict when it cannot be used."""
        return "FAIL" if self.needed else "WARN"

    @property
    def advice(self) -> str:
        """What to do then."""
        if self.url:
            return "start it: `opportunity exchange`"
        if self.needed:
            return "check the network, DNS and firewall; see the exchange's status page"
        return "only needed for live markets and `opportunity fetch`"


async def check_exchange(target: Target) -> list[Check]:
    """Check one thing after the other and stop at the first that makes the rest pointless.

    Raises
    ------
    ValueError
        If ccxt has no exchange of that name.
    """
    patience = Patience(attempts=1, wait_s=0.5)
    venue = Venue(
        target.name, url=target.url, folder=target.home, wall_ms=target.wall_ms,
        timeout_s=TIMEOUT_S, patience=patience,
    )
    checks = [_ban(venue)]
    if checks[0].verdict == "FAIL":
        return checks
    try:
        url = await _address(target)
        proxy = None if target.url else proxy_for(url)
        host, port = _place(proxy or url)
        if proxy is not None:
            checks.append(Check("proxy", "OK", f"{host}:{port}, named by the environment"))
        if not _numeric(host):
            checks.append(await _dns(target, host, port))
        if checks[-1].verdict == "OK":
            checks.append(await _connect(target, host, port))
        if checks[-1].verdict == "OK":
            async with asyncio.timeout(MARKETS_S):
                checks += await _talk(target, venue)
    except TimeoutError:
        text = f"{target.name} gave no markets within {MARKETS_S:.0f} s"
        checks.append(Check("markets", target.bad, text, target.advice))
    finally:
        await venue.close()
    return checks


def _ban(venue: Venue) -> Check:
    until = venue.gate.paused_until
    if until is None:
        return Check("bans", "OK", f"none by {venue.name}")
    words = "has locked this address out" if venue.gate.why == "banned" else "asked to wait"
    second = until // 1_000 * 1_000
    return Check(
        "bans", "FAIL", f"{venue.name} {words} until {utc_text(second)}",
        "wait: nothing is asked before, and asking makes it longer",
    )


async def _address(target: Target) -> str:
    """Return the address of the exchange's REST interface."""
    url = target.url
    if not url:
        kind = await asyncio.to_thread(ccxt_client.load, target.name)
        client = kind({})
        found = [u for u in _leaves(client.urls.get("api")) if u.startswith("http")]
        url = client.implode_hostname(found[0]) if found else ""
    return url


def _place(url: str) -> tuple[str, int]:
    """Return host and port of an address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _leaves(urls: Any) -> Iterator[str]:
    if isinstance(urls, str):
        yield urls
    elif isinstance(urls, dict):
        for key in sorted(urls, key=lambda k: k != "public"):
            if key != "ws":
                yield from _leaves(urls[key])


def _numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _dns(target: Target, host: str, port: int) -> Check:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await loop.getaddrinfo(host, port)
    except (TimeoutError, OSError):
        return Check("dns", target.bad, f"{host or target.name} is not found", target.advice)
    return Check("dns", "OK", f"{host} is found")


async def _connect(target: Target, host: str, port: int) -> Check:
    spent, failed = await _timed(_dial(host, port))
    if failed is not None:
        text = f"port {port} of {host} cannot be reached ({_reason(failed)})"
        return Check("connect", target.bad, text, target.advice)
    return Check("connect", "OK", f"port {port} of {host} answers in {spent * 1e3:.0f} ms")


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else "no answer"


async def _dial(host: str, port: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        _, writer = await asyncio.open_connection(host, port)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _talk(target: Target, venue: Venue) -> list[Check]:
    spent, failed = await _timed(venue.open())
    if failed is not None:
        useless = isinstance(failed, VenueError) and failed.kind == "unsupported"
        advice = "see docs/exchanges.md for others" if useless else target.advice
        return [Check("markets", target.bad, str(failed), advice)]
    source = "" if venue.stamp == venue.name else f" ({venue.stamp})"
    markets = f"{len(venue.markets):,} spot markets of {venue.name}{source} in {spent:.1f} s"
    return [
        Check("markets", "OK", markets),
        await _round_trip(target, venue),
        _clock(venue),
        await _socket(target, venue),
    ]


async def _round_trip(target: Target, venue: Venue) -> Check:
    symbol, frame = _example(venue), venue.timeframes[0]
    since = venue.clock.now() - 100 * length_ms(frame)
    spent, failed = await _timed(venue.bars(symbol, frame, since, 100))
    if failed is not None:
        return Check("bars", target.bad, str(failed), target.advice)
    text = f"100 bars of {symbol} in {spent * 1e3:.0f} ms"
    if spent > SLOW_S:
        return Check("bars", "WARN", text, "slow: expect late bars")
    return Check("bars", "OK", text)


def _clock(venue: Venue) -> Check:
    if venue.speed != 1.0:
        text = f"the exchange runs at {venue.speed:g}x: its own time counts"
        return Check("clock", "OK", text)
    return judge_skew(venue.skew_ms, venue.name)


def judge_skew(skew_ms: int, name: str) -> Check:
    """Judge how far the exchange's clock is from this machine's (positive: ahead of it)."""
    side = "behind" if skew_ms > 0 else "ahead of"
    text = (
        f"this machine is {abs(skew_ms):,} ms {side} {name}"
        " (measured by its answers, without NTP)"
    )
    advice = "let the clock be set by NTP, e.g. `timedatectl set-ntp true`"
    if abs(skew_ms) > SKEW_FAIL_MS:
        return Check("clock", "FAIL", text, advice)
    if abs(skew_ms) > SKEW_WARN_MS:
        return Check("clock", "WARN", text, advice)
    return Check("clock", "OK", text)


async def _socket(target: Target, venue: Venue) -> Check:
    if not venue.has("watchOHLCV"):
        return Check("websocket", "WARN", f"{venue.name} streams no bars", "they are polled")
    loop = asyncio.get_running_loop()
    open_at: asyncio.Future[float] = loop.create_future()
    begun = loop.time()

    def connected(_: Any) -> None:
        if not open_at.done():
            open_at.set_result(loop.time() - begun)

    stream = venue.stream(on_connected=connected)
    asking = asyncio.ensure_future(stream.watch_ohlcv(_example(venue), venue.timeframes[0]))
    try:
        await asyncio.wait(
            [open_at, asking], timeout=TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        asking.cancel()
        await asyncio.wait([asking])
        await stream.close()
    if open_at.done():
        return Check("websocket", "OK", f"connected in {open_at.result() * 1e3:.0f} ms")
    return Check("websocket", target.bad, "no connection", "check proxies: they often break it")


def _example(venue: Venue) -> str:
    """Return a symbol that is surely traded."""
    for name in ("BTC/USDT", "BTC/USD", "BTC/EUR"):
        if name in venue.markets and venue.markets[name].active:
            return name
    return next((s for s, m in venue.markets.items() if m.active), next(iter(venue.markets)))


async def _timed(call: Awaitable[Any]) -> tuple[float, Exception | None]:
    """Await a call; return how long it took, and the error that a bad network gives."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        await call
    except (VenueError, OSError, TimeoutError) as error:
        return loop.time() - begun, error
    return loop.time() - begun, None
