import ast
import asyncio
import sys
from pathlib import Path

import ccxt.async_support
import ccxt.pro
import pytest

import opportunity
from opportunity.feeds.exchange.venue.bans import Bans
from opportunity.feeds.exchange.venue.client import build, load, venue_names
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Gate, Timing
from opportunity.feeds.exchange.venue.gated import Gated, Plan
from opportunity.feeds.exchange.venue.venue import Venue
from tests.feeds.exchange.scripted import wall_ms

GATE = Gate("binance", Bans(None), Timing(wall_ms))


def plan(name="binance", url="", **options):
    return Plan(name, url, True, 10.0, wall_ms, options)


def test_names_are_those_of_ccxt():
    assert venue_names() == tuple(sorted(ccxt.async_support.exchanges))


def test_only_one_module_imports_ccxt():
    root = Path(opportunity.__file__).parent
    found = set()
    for path in [*root.rglob("*.py"), *(root.parent / "app").rglob("*.py")]:
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "import" in text and "ccxt" in text else ():
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(n.split(".")[0] == "ccxt" for n in names):
                found.add(path.name)
    assert found == {"client.py"}


@pytest.mark.parametrize("name", ["binance", "kraken", "okx", "bybit", "kucoin", "coinbase"])
def test_every_object_is_gated_and_asks_for_spot_markets_alone(name):
    kind = load(name)
    assert issubclass(kind, Gated)
    assert issubclass(kind, getattr(ccxt.pro, name))
    client = build(kind, plan(name), GATE)
    assert client.id == name
    assert client.session is None
    assert client.enableRateLimit
    assert client.options["maxRetriesOnFailure"] == 0
    assert client.options["ws"]["keepAlive"] <= 5_000
    listing = client.options.get("fetchMarkets")
    assert not isinstance(listing, dict) or listing.get("types", ["spot"]) == ["spot"]
    assert not client.check_required_credentials(False)


@pytest.mark.parametrize(("markets", "asked"), [("spot", "spot"), ("perpetual", "linear")])
def test_types_of_markets_that_are_switches_stay_switches(markets, asked):
    client = build(load("htx"), plan("htx"), GATE, markets)
    types = client.options["fetchMarkets"]["types"]
    assert [t for t, on in types.items() if on] == [asked]
    assert set(types) == {"spot", "linear", "inverse"}


@pytest.mark.slow
async def test_no_venue_with_spot_bars_stumbles_before_its_first_request():
    """Whatever ccxt's class of a venue is like, its markets are asked for, or a key is wanted."""

    async def nothing(*_):
        raise VenueError("no network", "unreachable")

    ends = {}
    for name in venue_names():
        kind = load(name)
        client = build(type(kind.__name__, (kind,), {"fetch": nothing}), plan(name), GATE)
        if not (client.has.get("spot") and client.has.get("fetchOHLCV")):
            continue
        assert client.timeframes, name
        client.session = object()
        client.open()
        try:
            await client.fetch_markets()
        except Exception as error:  # noqa: BLE001 - which one is what is looked at
            ends[name] = type(error).__name__
        client.session = None
    assert len(ends) > 60
    assert {n: e for n, e in ends.items() if e != "VenueError"} == {"alpaca": "AuthenticationError"}


def test_perpetuals_are_asked_for_apart():
    client = build(load("binance"), plan(), GATE, "perpetual")
    assert client.options["fetchMarkets"]["types"] == ["linear"]
    assert client.options["defaultType"] == "swap"


def test_options_of_the_caller_win():
    client = build(load("binance"), plan(tradesLimit=7, ws={"keepAlive": 100}), GATE)
    assert client.options["tradesLimit"] == 7
    assert client.options["ws"]["keepAlive"] == 100
    assert client.options["ws"]["connectionTimeout"] == 5_000


def test_an_unknown_name_gets_a_near_one():
    with pytest.raises(ValueError, match=r"was 'binanse'. Did you mean 'binance'"):
        Venue("binanse", wall_ms=wall_ms)


@pytest.mark.slow
async def test_the_first_import_does_not_block_the_loop():
    code = """
import asyncio, sys, time
from opportunity.feeds.exchange.venue.client import load
assert "ccxt" not in sys.modules
async def main():
    task = asyncio.ensure_future(asyncio.to_thread(load, "binance"))
    longest, last = 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await task
    print(longest)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert float(out) < 1.0
