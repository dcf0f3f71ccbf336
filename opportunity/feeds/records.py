"""Read point-in-time records from files: what was known besides bars, and from when on.

Every reader takes Parquet, Feather, CSV (with a header) or JSON with a time column of the event
(`timestamp`, `time`, `date` or `datetime`). Where a file has a column `available_at` it says
from when on a record was known; else the reader's delay does. Records come back in the order in
which they became known. Errors name file, field, rule and value.
"""

import os
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from opportunity.feeds.record_tables import Table, newest_last, read_table, rows
from opportunity.market.frames import Unit
from opportunity.market.observations import (
    FearGreed,
    Flow,
    Funding,
    Headline,
    Heartbeat,
    LongShort,
    OpenInterest,
    Record,
    SocialVolume,
    Trades,
    Transfer,
)
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

PathLike = str | os.PathLike[str]

HEARTBEAT_MS: Final = 15 * MINUTE_MS
"""How often an archive of headlines counts as asked."""

SETTLEMENT_HOURS: Final = 8.0
LARGEST_FUNDING: Final = 0.1
"""Of the position in 8 hours; no exchange lets a rate go further."""

_FRACTION: Final = ("funding_rate", "fundingrate", "rate")
_PERCENT: Final = ("funding_rate_percent", "fundingrate_percent", "rate_percent")
_INTEREST: Final = ("open_interest", "openinterest", "sumopeninterest", "sum_open_interest")
_RATIO: Final = ("long_short_ratio", "longshortratio", "long_short", "ratio")
_POSTS: Final = ("posts", "social_volume", "count")
_FLOWS: Final[dict[str, Flow]] = {
    "in": "in", "inflow": "in", "out": "out", "outflow": "out",
    "between": "between", "mixed": "between", "internal": "between",
    "unknown": "unknown", "": "unknown",
}  # fmt: skip


def read_fear_greed(
    path: PathLike, source: str = "", unit: Unit = "ms", delay_ms: int = DAY_MS
) -> list[FearGreed]:
    """Read Fear & Greed: columns time (the day's opening) and `value`, 0 to 100.

    A value describes its day, so by default it is known when that day is over.

    Parameters
    ----------
    path : path-like
    source : str
        Stamped on the records; by default the name of the file.
    unit : {"ms", "s", "us", "ns"}
        What integer times count.
    delay_ms : int
        From the time of an event until it is known, where the file does not say.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it breaks a rule.
    """
    table = _open(path, unit)
    name = table.one_of(("value", "fear_greed", "fng"))
    values = table.numbers(name, 0, 100)
    broken = values != np.rint(values)
    if broken.any():
        row = int(np.argmax(broken))
        raise table.wrong(name, "a whole number", values[row], row)
    time = table.times()
    known = table.known(time, delay_ms)
    order = newest_last(known, time)
    return [
        FearGreed(t, k, _source(path, source), v)
        for t, k, v in rows(time[order], known[order], values[order].astype(np.int64))
    ]


def read_funding(
    path: PathLike, symbol: str, source: str = "", unit: Unit = "ms", delay_ms: int = 0,
    rate_unit: Literal["fraction", "percent"] | None = None,
    hours: float = SETTLEMENT_HOURS,
) -> list[Funding]:  # fmt: skip
    """Read settlements of funding: columns time and `funding_rate` or `funding_rate_percent`.

    Parameters
    ----------
    path, source, unit, delay_ms
        As of `read_fear_greed`; known at the settlement.
    symbol : str
        Of the contract, or of the pair.
    rate_unit : {"fraction", "percent"}, optional
        What the numbers are, ``0.0001`` and ``0.01 %`` being the same. By default the name of
        the column says it; it is never guessed from the values.
    hours : float
        Time between settlements, for rates that are not of 8 hours.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it breaks a rule.
    """
    table = _open(path, unit)
    if rate_unit not in (None, "fraction", "percent"):
        raise table.error(f"rate_unit must be 'fraction' or 'percent', was {rate_unit!r}")
    if not 0.0 < hours <= 24.0:
        raise table.error(f"hours must be > 0 and <= 24, was {hours}")
    name = table.one_of((*_FRACTION, *_PERCENT))
    percent = rate_unit == "percent" if rate_unit else name in _PERCENT
    scale = (0.01 if percent else 1.0) * SETTLEMENT_HOURS / hours
    # bounds in the numbers of the file, so that the error shows what is written there
    largest = LARGEST_FUNDING / scale
    values = table.numbers(name, -largest, largest, sign="%" if percent else "") * scale
    time = table.times()
    known = table.known(time, delay_ms)
    order = newest_last(known, time)
    of = _source(path, source), parse_symbol(symbol)
    columns = rows(time[order], known[order], values[order])
    return [Funding(t, k, *of, rate) for t, k, rate in columns]


def read_open_interest(
    path: PathLike, symbol: str, source: str = "", unit: Unit = "ms", delay_ms: int = 0
) -> list[OpenInterest]:
    """Read open interest: columns time and `open_interest`, base currency, >= 0.

    Arguments as of `read_funding`.
    """
    found = _series(_open(path, unit), _INTEREST, delay_ms)
    of = _source(path, source), parse_symbol(symbol)
    return [OpenInterest(t, k, *of, value) for t, k, value in found]


def read_long_short(
    path: PathLike, symbol: str, source: str = "", unit: Unit = "ms", delay_ms: int = 0
) -> list[LongShort]:
    """Read ratios of long to short accounts: columns time and `long_short_ratio`, > 0.

    Arguments as of `read_funding`.
    """
    found = _series(_open(path, unit), _RATIO, delay_ms, above=True)
    of = _source(path, source), parse_symbol(symbol)
    return [LongShort(t, k, *of, value) for t, k, value in found]


def read_social_volume(
    path: PathLike, symbol: str, source: str = "", unit: Unit = "ms", delay_ms: int = 0
) -> list[SocialVolume]:
    """Read social volume: columns time and `posts`, >= 0; arguments as of `read_funding`."""
    found = _series(_open(path, unit), _POSTS, delay_ms)
    of = _source(path, source), parse_symbol(symbol)
    return [SocialVolume(t, k, *of, value) for t, k, value in found]


def read_transfers(
    path: PathLike, source: str = "", unit: Unit = "ms", delay_ms: int = HOUR_MS
) -> list[Transfer]:
    """Read large transfers: columns time, `asset`, `amount`, `flow`.

    Parameters
    ----------
    path, source, unit
        As of `read_fear_greed`. `flow` is in, out, between or unknown (inflow, outflow, mixed
        and internal are understood); the exchange is read from `exchange`, or `from_exchange`
        and `to_exchange`.
    delay_ms : int
        From the time of the block until enough confirmations; six blocks of Bitcoin take an
        hour.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it breaks a rule.
    """
    table = _open(path, unit)
    for name in ("asset", "flow", "amount"):
        table.one_of((name,))
    amounts = table.numbers("amount", 0.0)
    assets, flows = table.texts("asset"), [f.lower() for f in table.texts("flow")]
    for row, (asset, flow) in enumerate(zip(assets, flows, strict=True)):
        if not asset:
            raise table.wrong("asset", "a base code", asset, row)
        if flow not in _FLOWS:
            raise table.wrong("flow", "in, out, between or unknown", flow, row)
    time = table.times()
    known = table.known(time, delay_ms)
    origins, targets = table.texts("from_exchange"), table.texts("to_exchange")
    named = table.texts("exchange")
    columns = [*rows(time, known, assets, amounts, flows, named, origins, targets)]
    stamp = _source(path, source)
    return [
        Transfer(t, k, stamp, asset.upper(), amount, _FLOWS[flow], exchange or target or origin)
        for t, k, asset, amount, flow, exchange, origin, target in (
            columns[i] for i in newest_last(known, time).tolist()
        )
    ]


def read_headlines(
    path: PathLike, source: str = "", unit: Unit = "ms", delay_ms: int = 0
) -> list[Headline]:
    """Read headlines: columns time, `title`, and `source` or `publisher`.

    Arguments as of `read_fear_greed`. A column `symbols` (separated by spaces or commas) links
    them; rows without a title are passed over.
    """
    table, source = _open(path, unit), _source(path, source)
    titles = table.texts(table.one_of(("title", "headline")))
    publishers = table.texts(table.first(("publisher", "source")) or "publisher", source)
    linked = table.texts("symbols")
    time = table.times()
    known = table.known(time, delay_ms)
    columns = [*rows(time, known, titles, publishers, linked)]
    return [
        Headline(t, k, source, title, publisher, _symbols(table, symbols, i))
        for i in newest_last(known, time).tolist()
        for t, k, title, publisher, symbols in (columns[i],)
        if title
    ]


def read_trades(path: PathLike, symbol: str, source: str = "", unit: Unit = "ms") -> Trades:
    """Read prints of one symbol: columns time, `price`, `amount` and `side` (of the taker).

    Arguments as of `read_funding`; a print is known when it happens.
    """
    table, source = _open(path, unit), _source(path, source)
    for name in ("price", "amount", "side"):
        table.one_of((name,))
    sides = np.array([s.lower() for s in table.texts("side")], dtype=np.str_)
    bad = ~np.isin(sides, ("buy", "sell"))
    if bad.any():
        row = int(np.argmax(bad))
        raise table.wrong("side", "buy or sell", str(sides[row]), row)
    time = table.times()
    order = np.argsort(time, kind="stable")
    side = np.where(sides == "buy", 1, -1).astype(np.int8)
    price, amount = table.numbers("price", 0.0, above=True), table.numbers("amount", 0.0)
    return Trades(
        source, parse_symbol(symbol), time[order], price[order], amount[order], side[order]
    )


def heartbeats(
    since: int, until: int, source: str, of: str = "headline", every_ms: int = HEARTBEAT_MS
) -> list[Heartbeat]:
    """Return the beats of a source that was asked all the time from `since` to `until`.

    Parameters
    ----------
    since, until : int
        Beats with since <= time < until, on the grid of `every_ms`, ms UTC.
    source, of : str
        As of `Heartbeat`.
    """
    first = -(-since // every_ms) * every_ms
    return [Heartbeat(t, t, source, of) for t in range(first, until, every_ms)]


def read_records(
    path: PathLike, kind: type[Record] | None = None, **labels: Any
) -> list[Record]:
    """Read records of any kind; the columns tell which.

    Parameters
    ----------
    path : path-like
    kind : type of record, optional
        `FearGreed`, `Funding`, `OpenInterest`, `LongShort`, `SocialVolume`, `Transfer`,
        `Headline` or `Trades`; by default the kind whose columns the file has.
    **labels
        Further arguments of that kind's own reader: `symbol`, `source`, `unit`, `delay_ms`,
        `rate_unit`.

    Returns
    -------
    list of records
        In the order in which they became known; prints as one block.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, its columns are of no kind, or it breaks a rule; or if its kind
        takes no such label.
    """
    kind = kind or _recognised(_open(path, "ms"))
    reader = READERS_OF.get(kind)
    if reader is None:
        names = ", ".join(k.__name__ for k in READERS_OF)
        raise ValueError(f"kind must be one of {names}, was {kind.__name__}")
    if kind in OF_SYMBOL and "symbol" not in labels:
        raise ValueError(f"{path}: symbol must be given for {kind.__name__}, was not")
    known = [name for name in signature(reader).parameters if name != "path"]
    for label in labels:
        if label not in known:
            raise ValueError(
                f"{path}: label of {kind.__name__} must be one of {', '.join(known)}, was {label!r}"
            )
    found = reader(path, **labels)
    return [found] if isinstance(found, Trades) else found


def _recognised(table: Table) -> type[Record]:
    names = {*table.names}
    signs: tuple[tuple[type[Record], bool], ...] = (
        (Transfer, {"asset", "amount", "flow"} <= names),
        (Trades, {"price", "amount", "side"} <= names and "update_type" not in names),
        (Headline, bool({"title", "headline"} & names)),
        (Funding, bool({*_FRACTION, *_PERCENT} & names)),
        (OpenInterest, bool({*_INTEREST} & names)),
        (LongShort, bool({*_RATIO} & names)),
        (SocialVolume, bool({"posts", "social_volume"} & names)),
        (FearGreed, bool({"value", "fear_greed", "fng"} & names)),
    )
    kind = next((k for k, fits in signs if fits), None)
    if kind is None:
        there = ", ".join(table.names)[:200]
        raise table.error(f"columns must be those of a kind of record, was {there}")
    return kind


def _series(
    table: Table, names: tuple[str, ...], delay_ms: int, above: bool = False
) -> list[tuple[int, int, float]]:
    values = table.numbers(table.one_of(names), 0.0, above=above)
    time = table.times()
    known = table.known(time, delay_ms)
    order = newest_last(known, time)
    return [(t, k, v) for t, k, v in rows(time[order], known[order], values[order])]


def _symbols(table: Table, text: str, row: int) -> tuple[str, ...]:
    try:
        return tuple(parse_symbol(s) for s in text.replace(",", " ").split())
    except ValueError as error:
        raise table.wrong("symbols", "symbols such as BTC/USDT", text, row) from error


def _open(path: PathLike, unit: Unit) -> Table:
    return read_table(Path(path), unit)


def _source(path: PathLike, source: str) -> str:
    return source or Path(path).name.partition(".")[0]


READERS_OF: Final[dict[type[Record], Callable[..., Any]]] = {
    FearGreed: read_fear_greed,
    Funding: read_funding,
    OpenInterest: read_open_interest,
    LongShort: read_long_short,
    SocialVolume: read_social_volume,
    Transfer: read_transfers,
    Headline: read_headlines,
    Trades: read_trades,
}
OF_SYMBOL: Final = frozenset((Funding, OpenInterest, LongShort, SocialVolume, Trades))
"""Kinds whose files hold one symbol, which has to be named."""
