"""Binance's JSON: numbers as the shortest text that reads back to the same float."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson

from app.exchange.view import Day, Row, Values
from opportunity.market.observations import Trades
from opportunity.market.symbols import compact
from opportunity.market.timeframe import Timeframe


def text(value: float) -> str:
    """Write a float in full, never with an exponent; it reads back to the same float."""
    plain = repr(value)
    if "e" in plain:
        plain = np.format_float_positional(value, trim="0")
    return plain


def dump(value: Any) -> bytes:
    """Write JSON."""
    return orjson.dumps(value)


def error(code: int, message: str) -> bytes:
    """Write Binance's error body."""
    return dump({"code": code, "msg": message})


def klines(rows: Iterable[Row]) -> bytes:
    """Write the answer of /api/v3/klines."""
    return ("[" + ",".join(_kline_row(row) for row in rows) + "]").encode()


def _kline_row(row: Row) -> str:
    o, h, low, c, v = row.tokens or (f'"{text(x)}"' for x in row.values)
    quote = row.values[3] * row.values[4]
    return (
        f'[{row.time},{o},{h},{low},{c},{v},{row.close_time},"{text(quote)}",'
        f'{int(row.values[4] > 0)},"0","0","0"]'
    )


def kline_frame(symbol: str, timeframe: Timeframe, row: Row, closed: bool, now: int) -> bytes:
    """Write a kline event; `symbol` is the id on the wire."""
    o, h, low, c, v = row.tokens or [f'"{text(x)}"' for x in row.values]
    quote = row.values[3] * row.values[4]
    return (
        f'{{"e":"kline","E":{now},"s":"{symbol}","k":{{"t":{row.time},"T":{row.close_time},'
        f'"s":"{symbol}","i":"{timeframe}","f":-1,"L":-1,"o":{o},"c":{c},"h":{h},"l":{low},'
        f'"v":{v},"n":{int(row.values[4] > 0)},"x":{"true" if closed else "false"},'
        f'"q":"{text(quote)}","V":"0","Q":"0","B":"0"}}}}'
    ).encode()


def trade_frame(symbol: str, name: str, number: int, trades: Trades, k: int, now: int) -> bytes:
    """Write print `k` of a block as a trade or aggTrade event."""
    price, amount = text(float(trades.price[k])), text(float(trades.amount[k]))
    maker = "false" if trades.side[k] > 0 else "true"
    ids = f'"t":{number}' if name == "trade" else f'"a":{number},"f":{number},"l":{number}'
    return (
        f'{{"e":"{name}","E":{now},"s":"{symbol}",{ids},"p":"{price}","q":"{amount}",'
        f'"T":{int(trades.time[k])},"m":{maker},"M":true}}'
    ).encode()


def agg_trade(number: int, trades: Trades, k: int) -> dict[str, Any]:
    """Return print `k` of a block as an item of /api/v3/aggTrades."""
    return {
        "a": number,
        "p": text(float(trades.price[k])),
        "q": text(float(trades.amount[k])),
        "f": number,
        "l": number,
        "T": int(trades.time[k]),
        "m": bool(trades.side[k] < 0),
        "M": True,
    }


def trade(number: int, trades: Trades, k: int) -> dict[str, Any]:
    """Return print `k` of a block as an item of /api/v3/trades."""
    price, amount = float(trades.price[k]), float(trades.amount[k])
    return {
        "id": number,
        "price": text(price),
        "qty": text(amount),
        "quoteQty": text(price * amount),
        "time": int(trades.time[k]),
        "isBuyerMaker": bool(trades.side[k] < 0),
        "isBestMatch": True,
    }


def mini_ticker(symbol: str, day: Day, now: int) -> bytes:
    """Write a 24hrMiniTicker event."""
    return dump(
        {
            "e": "24hrMiniTicker",
            "E": now,
            "s": symbol,
            "c": text(day.last),
            "o": text(day.open),
            "h": text(day.high),
            "l": text(day.low),
            "v": text(day.volume),
            "q": text(day.quote),
        }
    )


def ticker(symbol: str, day: Day, best: Values | None, now: int) -> dict[str, Any]:
    """Return an item of /api/v3/ticker/24hr; `best` is bid, amount, ask, amount and unused."""
    bid, bid_qty, ask, ask_qty, _ = best or (0.0, 0.0, 0.0, 0.0, 0.0)
    change = day.last - day.open
    return {
        "symbol": symbol, "priceChange": text(change),
        "priceChangePercent": f"{100 * change / day.open if day.open else 0.0:.3f}",
        "weightedAvgPrice": text(day.quote / day.volume if day.volume else day.last),
        "prevClosePrice": text(day.open), "lastPrice": text(day.last), "lastQty": "0",
        "bidPrice": text(bid), "bidQty": text(bid_qty), "askPrice": text(ask),
        "askQty": text(ask_qty), "openPrice": text(day.open), "highPrice": text(day.high),
        "lowPrice": text(day.low), "volume": text(day.volume), "quoteVolume": text(day.quote),
        "openTime": day.open_time, "closeTime": now, "firstId": -1, "lastId": -1, "count": 0,
    }  # fmt: skip


def levels(side: Iterable[tuple[float, float]]) -> list[list[str]]:
    """Return one side of a book."""
    return [[text(price), text(amount)] for price, amount in side]


def market(
    symbol: str, steps: tuple[float, float], trading: bool, stamp: dict[str, Any]
) -> dict[str, Any]:
    """Return an item of /api/v3/exchangeInfo."""
    base, _, quote = symbol.partition("/")
    tick, lot = (np.format_float_positional(step, trim="-") for step in steps)
    return {
        "symbol": compact(symbol), "status": "TRADING" if trading else "BREAK",
        "baseAsset": base, "baseAssetPrecision": 8, "quoteAsset": quote, "quotePrecision": 8,
        "quoteAssetPrecision": 8, "orderTypes": ["LIMIT", "MARKET"], "icebergAllowed": True,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "permissions": ["SPOT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000000",
             "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "1000000000000", "stepSize": lot},
        ],
        "opportunity": stamp,
    }  # fmt: skip


def perpetual(
    symbol: str, steps: tuple[float, float], trading: bool, stamp: dict[str, Any]
) -> dict[str, Any]:
    """Return an item of /fapi/v1/exchangeInfo."""
    _, _, quote = symbol.partition("/")
    return market(symbol, steps, trading, stamp) | {
        "pair": compact(symbol), "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000, "marginAsset": quote, "pricePrecision": 8,
        "quantityPrecision": 8, "underlyingType": "COIN",
    }  # fmt: skip


def strict(data: bytes) -> Any:
    """Read JSON that a client sent; raises ValueError."""
    return json.loads(data)


def without_kline(payload: bytes) -> bytes:
    """Return an event with its ``k`` left out."""
    event = orjson.loads(payload)
    event.pop("k", None)
    return dump(event)
