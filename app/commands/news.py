"""`opportunity news`: headlines as the news detector reads them."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands import arguments
from app.commands.arguments import BAD_USAGE, DONE, FAILED

if TYPE_CHECKING:
    from opportunity.config_lists import NewsSource
    from opportunity.market.observations import Headline

NAME: Final = "news"
TIMEOUT_S: Final = 20
ANY_TIME: Final = 2**62
"""Later than any record."""

_NAMED: Final = re.compile(r"\w[\w .-]*=")

EPILOG: Final = """\
examples:
  opportunity news --sources desk=https://news.example/rss
  opportunity news --sources ./headlines --symbol BTC/USDT
  opportunity news --data data --since 2022-01-24 --until 2022-01-25 --json

An address is RSS, Atom or JSON; a folder holds such files (.xml .rss .atom .json). Asked once, each
tells what the agent would take for news: headlines older than a day, and undated ones of an
address, are left out. --data reads DIR/news as a replay does, by when each headline became known.

exit codes: 0 done, 1 no source answered or nothing is stored, 2 bad usage
"""


@dataclass(frozen=True)
class Told:
    """What the sources told, as of `time` (ms UTC); `health` has a row for each of them."""

    time: int
    recorded: bool
    headlines: Sequence["Headline"]
    health: Sequence[dict[str, Any]]


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="show headlines with their tone and what they are about", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Ask sources of headlines once, or read recorded ones, and show what the "
        "news detector makes of each: tone in [-1, 1], impact (1, 0.6 or 0.3) and the coins it is "
        "about. Also tells which source answers.",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    option = parser.add_argument
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--sources", metavar="[NAME=]ADDRESS,...",
                       help="addresses or folders (default: OPPORTUNITY_NEWS_SOURCES)")
    group.add_argument("--data", type=arguments.folder, metavar="DIR",
                       help="data folder with recorded headlines in DIR/news, or an exchange in it")
    option("--since", type=arguments.moment, metavar="TIME",
           help="with --data: known from TIME on (ISO 8601, UTC; default: a day before --until)")
    option("--until", type=arguments.moment, metavar="TIME",
           help="with --data: known by TIME (default: the newest headline)")
    option("--symbol", type=arguments.one_symbol, metavar="BTC/USDT",
           help="only headlines about this coin or the whole market")
    option("--limit", type=arguments.count, metavar="N", help="print only the newest N")
    option("--timeout", type=arguments.count, default=TIMEOUT_S, metavar="SECONDS",
           help=f"wait no longer for the sources (default: {TIMEOUT_S})")
    option("--json", action="store_true", help="print one JSON document instead of a table")


def run(args: argparse.Namespace) -> int:
    """Ask or read, print, and return the exit code."""
    from opportunity.config import SettingsError, load_settings

    if args.data is None and (args.since is not None or args.until is not None):
        arguments.complain("--since and --until need --data")
        return BAD_USAGE
    if args.data is not None:
        if None not in (args.since, args.until) and args.since > args.until:
            arguments.complain("--since must not be after --until")
            return BAD_USAGE
        told = _recorded(_root(args.data), args.since, args.until)
        if not told.health:
            arguments.complain(f"no headlines are stored: {str(args.data / 'news')!r} holds none")
            return FAILED
    else:
        given = None if args.sources is None else _absolute(args.sources)
        try:
            sources = load_settings({"news_sources": given}).news_sources
        except SettingsError as error:
            arguments.complain(str(error))
            return BAD_USAGE
        if not sources:
            arguments.complain("give --sources or --data, or set OPPORTUNITY_NEWS_SOURCES")
            return BAD_USAGE
        told = _asked(sources, args.timeout)
    rows = [row for h in told.headlines if (row := _row(h, args.symbol))]
    rows = rows[::-1][: args.limit]
    _write_json(told, rows) if args.json else _print(told, rows)
    if all(one["error"] for one in told.health):
        arguments.complain("no source answered")
        return FAILED
    return DONE


def _absolute(text: str) -> str:
    """Return the list with folders as absolute paths; addresses stay as they are."""
    parts = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        name = _NAMED.match(part)
        start = name.end() if name else 0
        address = part[start:]
        whole = address if ":/" in address else str(Path(address).expanduser().absolute())
        parts.append(part[:start] + whole)
    return ",".join(parts)


def _asked(sources: Sequence["NewsSource"], timeout_s: int) -> Told:
    """Ask every source once."""
    import asyncio
    import time

    from rich.console import Console

    from opportunity.feeds.sources import make_sources
    from opportunity.market.observations import Headline

    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    asked = make_sources(sources, now_ms)
    with Console(stderr=True).status(f"asking {len(sources)} source(s)"):
        asyncio.run(asked.once(timeout_s))
    records = [r for r in asked.drain(ANY_TIME) if isinstance(r, Headline)]
    health = [
        {"name": one.name, "headlines": one.n_records, "error": one.error} for one in asked.health
    ]
    return Told(now_ms(), False, sorted(records, key=lambda r: r.event_time), health)


def _root(data: Path) -> Path:
    """Return the folder that `news` lies in: the given one, or its parent for an exchange's."""
    above = data.absolute().parent
    return above if not (data / "news").is_dir() and (above / "news").is_dir() else data


def _recorded(data: Path, since: int | None, until: int | None) -> Told:
    """Read what became known in a span, both ends included."""
    from opportunity.feeds.record_folder import FolderRecords
    from opportunity.market.observations import Headline
    from opportunity.market.timeframe import DAY_MS

    found = FolderRecords(data).between([Headline], 0, ANY_TIME)
    stored = [r for r in found if isinstance(r, Headline)]
    end = until if until is not None else max((r.available_at for r in stored), default=0)
    first = end - DAY_MS if since is None else since
    shown = [r for r in stored if first <= r.available_at <= end]
    health = [
        {"name": name, "headlines": sum(r.source == name for r in shown), "error": ""}
        for name in sorted({r.source for r in stored})
    ]
    return Told(end, True, shown, health)


def _row(headline: "Headline", symbol: str | None) -> dict[str, Any] | None:
    """Return what the detector makes of a headline; None when it is not about the symbol."""
    from opportunity.detectors.news_links import base_code, find_links, given_links
    from opportunity.detectors.news_tone import read_title
    from opportunity.detectors.news_trust import trust

    links = given_links(headline.symbols) if headline.symbols else find_links(headline.title)
    if symbol is not None and not (links.market or links.names(base_code(symbol))):
        return None
    read = read_title(headline.title)
    publisher = headline.publisher or headline.source
    return {
        "event_time": headline.event_time, "available_at": headline.available_at,
        "source": headline.source, "publisher": publisher, "title": headline.title,
        "tone": read.tone, "words": list(read.words), "impact": read.impact,
        "trust": trust(publisher), "coins": sorted(links.codes),
        "perhaps": sorted(links.capitals - links.codes), "market": links.market,
    }  # fmt: skip


def _write_json(told: Told, rows: Sequence[dict[str, Any]]) -> None:
    import json
    import sys

    # Letters beyond ASCII are escaped: titles are anybody's, and a terminal may be listening.
    document = {"time": told.time, "recorded": told.recorded, "headlines": list(rows),
                "sources": list(told.health)}
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _print(told: Told, rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from app.terminal import visible

    console = Console()
    if not console.is_terminal:  # a pipe has no width: nothing is cut
        console.width = 800

    def safe(text: str) -> Text:
        return Text(visible(text, console.encoding))

    words = f"{_headlines(len(rows))} as of {_utc(told.time)} UTC"
    table = Table(title=words)
    table.add_column("known" if told.recorded else "age", justify="right", no_wrap=True)
    for name in ("tone", "impact", "about", "source"):
        table.add_column(name, no_wrap=name == "tone")
    table.add_column("title", overflow="fold", ratio=1 if console.is_terminal else None)
    for row in rows:
        when = _utc(row["available_at"]) if told.recorded else _age(told.time - row["event_time"])
        table.add_row(when, _tone(row["tone"]), f"{row['impact']:.1f}", safe(_about(row)),
                      safe(row["publisher"]), safe(row["title"]))
    console.print(table if rows else words)
    span = "in this span" if told.recorded else "of the last day"
    for one in told.health:
        state = f"failed, {one['error']}" if one["error"] else (
            f"{_headlines(one['headlines'])} {span}"
        )
        console.print(safe(f"{one['name']}: {state}"))


def _headlines(n: int) -> str:
    return f"{n} headline{'' if n == 1 else 's'}"


def _tone(tone: float) -> str:
    """Return a tone as a number and as a bar of its sign, which needs no colour."""
    if not tone:
        return " 0.00"
    return f"{tone:+.2f} " + ("+" if tone > 0 else "-") * max(1, round(5 * abs(tone)))


def _about(row: dict[str, Any]) -> str:
    named = [*row["coins"], *(f"{code}?" for code in row["perhaps"])]
    return ", ".join(named) if named else ("market" if row["market"] else "-")


def _age(length_ms: int) -> str:
    minutes = max(0, length_ms) // 60_000
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // 1_440}d"


def _utc(time: int) -> str:
    import pandas as pd

    return pd.Timestamp(time, unit="ms").strftime("%Y-%m-%d %H:%M")
