"""What venues' own messages say that ccxt's rows do not: whether a bar is closed.

A tap reads a message as it came, before ccxt does. Venues without one are read through ccxt, whose
rows look the same whether a bar is open or closed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from opportunity.market.notes import Values

Message = Mapping[str, Any]


class BarSaid(NamedTuple):
    """A bar as a venue told it; `market` is the venue's own id, `closed` None if unsaid."""

    market: str
    time: int
    values: Values
    closed: bool | None


class PrintSaid(NamedTuple):
    """A print as a venue told it; `side` is +1 or -1: who was the aggressor, 0: not said."""

    market: str
    id: str
    time: int
    price: float
    amount: float
    side: int


@dataclass(frozen=True, slots=True)
class Tap:
    """How to read one venue's messages; each function returns None for what it does not know.

    Parameters
    ----------
    bars : callable
        From a message and the venue's name of the timeframe to the bars in it; bars of another
        timeframe are left out.
    prints : callable
        From a message to the prints in it.
    leaving : callable
        Whether the venue says that it will close the connection soon.
    batch : int
        Most symbols in one request to subscribe.
    print_options : mapping
        Extra parameters of ccxt's watch_trades_for_symbols.
    """

    bars: Callable[[Message, str], list[BarSaid] | None]
    prints: Callable[[Message], list[PrintSaid] | None]
    leaving: Callable[[Message], bool]
    batch: int
    print_options: Mapping[str, str] = field(default_factory=dict)


_FAR_MS: Final = 1 << 53
"""Times beyond it are not ms of any calendar, and would not fit into our arrays."""


def number(said: object) -> float:
    """Return a number, NaN for anything that is none."""
    if isinstance(said, bool):
        return math.nan
    try:
        return float(said)  # type: ignore[arg-type]  # what it cannot read raises
    except (TypeError, ValueError, OverflowError):
        return math.nan


def moment(said: object) -> int:
    """Return a time in ms UTC, 0 for anything that is none."""
    if isinstance(said, bool):
        return 0
    try:
        time = int(said)  # type: ignore[call-overload]  # what it cannot read raises
    except (TypeError, ValueError, OverflowError):
        return 0
    return time if -_FAR_MS < time < _FAR_MS else 0


def _flag(said: object) -> bool | None:
    return said if isinstance(said, bool) else None


# -- Binance: https://github.com/binance/binance-spot-api-docs, web-socket-streams ---------------


def _binance_bars(message: Message, interval: str) -> list[BarSaid] | None:
    if message.get("e") != "kline":
        return None
    k = message.get("k")
    if not isinstance(k, dict) or k.get("i") != interval:
        return []
    get = k.get
    o, h, l, c, v = (number(get(name)) for name in "ohlcv")  # noqa: E741 - as it is told
    return [BarSaid(str(get("s")), moment(get("t")), (o, h, l, c, v), _flag(get("x")))]


def _binance_prints(message: Message) -> list[PrintSaid] | None:
    get = message.get
    event = get("e")
    if event not in ("aggTrade", "trade"):
        return None
    side = -1 if get("m") else 1  # m: the buyer was the maker
    name = str(get("a" if event == "aggTrade" else "t"))
    return [
        PrintSaid(str(get("s")), name, moment(get("T")), number(get("p")), number(get("q")), side)
    ]


def _binance_leaving(message: Message) -> bool:
    return message.get("e") == "serverShutdown"


# -- Bybit v5: public/kline, public/trade ---------------------------------------------------------


def _bybit_topic(message: Message, kind: str) -> list[str] | None:
    topic = message.get("topic")
    if not isinstance(topic, str) or not topic.startswith(kind):
        return None
    return topic.split(".")


def _parts(message: Message) -> list[Any]:
    data = message.get("data")
    return data if isinstance(data, list) else []


def _bybit_bars(message: Message, interval: str) -> list[BarSaid] | None:
    topic = _bybit_topic(message, "kline.")
    if topic is None:
        return None
    if len(topic) != 3 or topic[1] != interval:
        return []
    return [
        BarSaid(
            topic[2],
            moment(bar.get("start")),
            (number(bar.get("open")), number(bar.get("high")), number(bar.get("low")),
             number(bar.get("close")), number(bar.get("volume"))),
            _flag(bar.get("confirm")),
        )
        for bar in _parts(message) if isinstance(bar, dict)
    ]  # fmt: skip


def _bybit_prints(message: Message) -> list[PrintSaid] | None:
    if _bybit_topic(message, "publicTrade.") is None:
        return None
    return [
        PrintSaid(str(p.get("s")), str(p.get("i")), moment(p.get("T")), number(p.get("p")),
                  number(p.get("v")), 1 if p.get("S") == "Buy" else -1)
        for p in _parts(message) if isinstance(p, dict)
    ]  # fmt: skip


# -- OKX v5: candlesticks and trades channels -----------------------------------------------------

_OKX_SAID: Final = {"0": False, "1": True}


def _okx_channel(message: Message, kind: str) -> tuple[str, str] | None:
    arg = message.get("arg")
    if not isinstance(arg, dict) or "event" in message:
        return None
    channel = str(arg.get("channel"))
    return (channel, str(arg.get("instId"))) if channel.startswith(kind) else None


def _okx_bars(message: Message, interval: str) -> list[BarSaid] | None:
    found = _okx_channel(message, "candle")
    if found is None:
        return None
    if found[0] != f"candle{interval}":
        return []
    said = []
    for row in _parts(message):
        if isinstance(row, list) and len(row) >= 6:
            time, o, h, l, c, v = row[:6]  # noqa: E741 - the usual letters of a bar
            closed = _OKX_SAID.get(str(row[-1])) if len(row) >= 9 else None
            values = number(o), number(h), number(l), number(c), number(v)
            said.append(BarSaid(found[1], moment(time), values, closed))
    return said


def _okx_prints(message: Message) -> list[PrintSaid] | None:
    found = _okx_channel(message, "trades")
    if found is None:
        return None
    return [
        PrintSaid(str(p.get("instId")), str(p.get("tradeId")), moment(p.get("ts")),
                  number(p.get("px")), number(p.get("sz")), 1 if p.get("side") == "buy" else -1)
        for p in _parts(message) if isinstance(p, dict)
    ]  # fmt: skip


def _okx_leaving(message: Message) -> bool:
    return message.get("event") == "notice" and str(message.get("code")) == "64008"


def _stays(message: Message) -> bool:
    return False


_BINANCE: Final = Tap(
    _binance_bars, _binance_prints, _binance_leaving, 200, MappingProxyType({"name": "aggTrade"})
)
_BYBIT: Final = Tap(_bybit_bars, _bybit_prints, _stays, 10)  # spot takes ten topics a request
_OKX: Final = Tap(_okx_bars, _okx_prints, _okx_leaving, 100)

TAPS: Final[Mapping[str, Tap]] = MappingProxyType({
    "binance": _BINANCE, "binanceus": _BINANCE,
    "bybit": _BYBIT, "bybiteu": _BYBIT,
    "okx": _OKX, "okxus": _OKX, "myokx": _OKX,
})  # fmt: skip
"""By name in ccxt: the venues whose messages say whether a bar is closed, documented and read."""
