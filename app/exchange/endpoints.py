"""The answers of Binance's public REST endpoints, as functions of the exchange and the query."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.exchange import wire
from app.exchange.core import Core
from app.exchange.view import Values
from opportunity.market.observations import Trades
from opportunity.market.timeframe import HOUR_MS, TIMEFRAMES, Timeframe, divides, open_ms

MOST_ROWS: Final = 1_000
MOST_LEVELS: Final = 5_000
_FUNDING_MS: Final = 8 * HOUR_MS
_WORKING: Final = {"klines": 500, "depth": 100, "trades": 500, "funding": 100}

Query = Mapping[str, str]


class RefusedError(Exception):
    """Raised for a request that Binance answers with an error code."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def symbol_row(core: Core, query: Query) -> int:
    """Return the row of the query's symbol."""
    name = query.get("symbol", "")
    if not name:
        raise RefusedError(
            -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
        )
    if not re.fullmatch("[A-Z0-9_.-]{1,20}", name):
        raise RefusedError(
            -1100,
            "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.",
        )
    row = core.rows.get(name)
    if row is None or not core.trading(row):
        raise RefusedError(-1121, "Invalid symbol.")
    return row


def number(query: Query, name: str) -> int | None:
    """Return an integer of the query; None where it is not given."""
    value = query.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"\d{1,18}", value):
        raise RefusedError(
            -1100,
            f"Illegal characters found in parameter '{name}'; "
            r"legal range is '^[0-9]{1,20}$'.",
        )
    return int(value)


def limit_of(query: Query, what: str, most: int = MOST_ROWS) -> int:
    """Return the query's limit, capped as Binance caps it."""
    limit = number(query, "limit")
    if limit is not None and limit < 1:
        raise RefusedError(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(most, _WORKING[what] if limit is None else limit)


def interval_of(core: Core, query: Query) -> Timeframe:
    """Return the query's interval, one that the market's bars add up to."""
    name = query.get("interval", "")
    for known in TIMEFRAMES:
        if known == name and divides(core.market.base, known):
            return known
    raise RefusedError(-1120, "Invalid interval.")


def ping(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/ping."""
    return b"{}"


def time(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/time."""
    return wire.dump({"serverTime": core.told(now)})


def exchange_info(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/exchangeInfo."""
    return _info(core, now, wire.market)


def perpetual_info(core: Core, query: Query, now: int) -> bytes:
    """Answer /fapi/v1/exchangeInfo: a perpetual for each symbol that has funding."""
    return _info(core, now, wire.perpetual)


def _info(core: Core, now: int, item: Callable[..., dict[str, Any]]) -> bytes:
    market, stamp = core.market, core.stamp
    symbols = [
        item(s, market.steps(row), core.trading(row), stamp) for row, s in enumerate(market.symbols)
    ]
    return wire.dump({
        "timezone": "UTC", "serverTime": core.told(now), "exchangeFilters": [],
        "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE",
                        "intervalNum": 1, "limit": 6000}],
        "symbols": symbols,
    })  # fmt: skip


def klines(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/klines."""
    row, timeframe = symbol_row(core, query), interval_of(core, query)
    since, until = number(query, "startTime"), number(query, "endTime")
    limit = limit_of(query, "klines")
    return wire.klines(core.view.klines(row, timeframe, now, since, until, limit))


def tickers(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/ticker/24hr for one symbol, several or all."""
    if "symbol" in query:
        return wire.dump(_ticker(core, symbol_row(core, query), now))
    if "symbols" in query:
        rows = [symbol_row(core, {"symbol": name}) for name in _names(query["symbols"])]
    else:
        rows = [row for row in range(len(core.ids)) if core.trading(row)]
    return wire.dump([_ticker(core, row, now) for row in rows])


def _names(text: str) -> list[str]:
    try:
        names = wire.strict(text.encode())
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise RefusedError(-1100, "Illegal characters found in parameter 'symbols'.")
    return names


def _ticker(core: Core, row: int, now: int) -> dict[str, Any]:
    sides = core.books.at(row, core.books.number(now))
    best: Values | None = None
    if sides is not None and sides[0] and sides[1]:
        (bid, bid_qty), (ask, ask_qty) = (next(iter(side.items())) for side in sides)
        best = bid, bid_qty, ask, ask_qty, 0.0
    return wire.ticker(core.ids[row], core.view.day(row, now), best, core.told(now))


def depth(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/depth: the book that the stream's updates go on from."""
    row, limit = symbol_row(core, query), limit_of(query, "depth", MOST_LEVELS)
    at = core.books.number(now)
    bids, asks = core.books.at(row, at) or ({}, {})
    return wire.dump(
        {
            "lastUpdateId": at,
            "bids": wire.levels(list(bids.items())[:limit]),
            "asks": wire.levels(list(asks.items())[:limit]),
        }
    )


def agg_trades(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/aggTrades."""
    row, limit = symbol_row(core, query), limit_of(query, "trades")
    since, until = number(query, "startTime"), number(query, "endTime")
    first = number(query, "fromId")
    if first is not None:
        since = first // core.market.most_prints * core.view.length
    found = prints(core, row, now, since, until, limit, first or 0)
    return wire.dump([wire.agg_trade(*item) for item in found])


def trades(core: Core, query: Query, now: int) -> bytes:
    """Answer /api/v3/trades."""
    row, limit = symbol_row(core, query), limit_of(query, "trades")
    return wire.dump([wire.trade(*i) for i in prints(core, row, now, None, None, limit)])


def prints(
    core: Core, row: int, now: int, since: int | None, until: int | None, limit: int, first: int = 0
) -> list[tuple[int, Trades, int]]:
    """Return (number, block, index) of prints in [since, until], at most `limit`, by number.

    Without `since` the newest; numbers below `first` are left out. At most a day is looked at.
    """
    length, most = core.view.length, core.market.most_prints
    end = now if until is None else min(now, until)
    opened = open_ms(end if since is None else since, core.market.base)
    found: list[tuple[int, Trades, int]] = []
    for _ in range(1 + 24 * HOUR_MS // length):
        block = core.market.trades(row, opened)
        if block is None or opened > end or len(found) >= limit:
            break
        here = [
            (opened // length * most + k, block, k)
            for k, t in enumerate(block.time.tolist())
            if (since is None or t >= since) and t <= end and opened // length * most + k >= first
        ]
        found = here + found if since is None else found + here
        opened += -length if since is None else length
    return found[-limit:] if since is None else found[:limit]


def premium_index(core: Core, query: Query, now: int) -> bytes:
    """Answer /fapi/v1/premiumIndex: the funding that was settled last."""
    if "symbol" in query:
        return wire.dump(_premium(core, symbol_row(core, query), now))
    rows = [row for row in range(len(core.ids)) if core.trading(row)]
    return wire.dump([p for row in rows if (p := _premium(core, row, now))])


def _premium(core: Core, row: int, now: int) -> dict[str, Any]:
    settled = core.market.funding(row, now - 2 * _FUNDING_MS, now + 1)
    if not settled:
        return {}
    price = wire.text(core.view.day(row, now).last)
    return {
        "symbol": core.ids[row],
        "markPrice": price,
        "indexPrice": price,
        "estimatedSettlePrice": price,
        "lastFundingRate": wire.text(settled[-1].rate),
        "interestRate": "0.0001",
        "nextFundingTime": settled[-1].event_time + _FUNDING_MS,
        "time": core.told(now),
    }


def funding_rate(core: Core, query: Query, now: int) -> bytes:
    """Answer /fapi/v1/fundingRate: settlements, oldest first."""
    row, limit = symbol_row(core, query), limit_of(query, "funding")
    since, until = number(query, "startTime"), number(query, "endTime")
    end = now if until is None else min(now, until)
    start = end - (limit + 1) * _FUNDING_MS if since is None else since
    settled = core.market.funding(row, start, end + 1)
    kept = settled[-limit:] if since is None else settled[:limit]
    return wire.dump([
        {"symbol": core.ids[row], "fundingTime": f.event_time,
         "fundingRate": wire.text(f.rate), "markPrice": ""} for f in kept
    ])  # fmt: skip


ENDPOINTS: Final[dict[str, Callable[[Core, Query, int], bytes]]] = {
    "/api/v3/ping": ping,
    "/api/v3/time": time,
    "/api/v3/exchangeInfo": exchange_info,
    "/api/v3/klines": klines,
    "/api/v3/ticker/24hr": tickers,
    "/api/v3/depth": depth,
    "/api/v3/aggTrades": agg_trades,
    "/api/v3/trades": trades,
    "/fapi/v1/ping": ping,
    "/fapi/v1/time": time,
    "/fapi/v1/exchangeInfo": perpetual_info,
    "/fapi/v1/premiumIndex": premium_index,
    "/fapi/v1/fundingRate": funding_rate,
}
"""Every path that is spoken."""
