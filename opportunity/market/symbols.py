"""Symbols: one market's name in its three spellings.

Inside the package a symbol is written as ccxt writes it, ``BTC/USDT``, or ``BTC/USDT:USDT`` for
a contract settled in USDT. The compact form ``BTCUSDT`` is its id on the wire; ``BTC-USDT``
names its folder and its place in a URL.
"""

import re
from typing import Final

Symbol = str

_NAME: Final = "[A-Z0-9]{1,20}"
_PARTS: Final = re.compile(rf"({_NAME})[/_-]({_NAME})(?:[:_-]({_NAME}))?")
_JOINED: Final = re.compile(rf"({_NAME})(?::({_NAME}))?")

QUOTES: Final = (
    "FDUSD", "USDT", "USDC", "USD", "EUR", "GBP", "JPY", "TRY", "BRL", "BTC", "ETH", "BNB", "DAI",
)  # fmt: skip
"""Quote currencies at which a compact spelling is split, longest first.

TUSD and BUSD are left out on purpose: they would turn DOTUSD into DO/TUSD and BNBUSD into
BN/BUSD. Such markets are written with a slash.
"""


def parse_symbol(text: str) -> Symbol:
    """Return the symbol that `text` spells, e.g. ``BTC/USDT``.

    Parameters
    ----------
    text : str
        ``BTC/USDT``, ``BTC-USDT``, ``BTC_USDT`` or ``BTCUSDT`` in any letter case; contracts as
        ``BTC/USDT:USDT``. Base, quote and settlement are 1 to 20 of A-Z and 0-9. The compact
        spelling is understood where it ends in one of `QUOTES`.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    upper = text.strip().upper() if text.isascii() else ""
    parts = _PARTS.fullmatch(upper)
    if parts:
        return _unified(parts[1], parts[2], parts[3])
    joined = _JOINED.fullmatch(upper)
    if joined:
        for quote in QUOTES:
            base = joined[1].removesuffix(quote)
            if base and base != joined[1]:
                return _unified(base, quote, joined[2])
    raise ValueError(
        "symbol must be BASE/QUOTE, BASE-QUOTE or BASEQUOTE of A-Z and 0-9, such as BTC/USDT, "
        f"was {text[:60]!r}"
    )


def compact(symbol: Symbol) -> str:
    """Return the id on the wire: ``BTC/USDT`` gives ``BTCUSDT``."""
    return parse_symbol(symbol).replace("/", "")


def file_name(symbol: Symbol) -> str:
    """Return the folder or URL part: ``BTC/USDT`` gives ``BTC-USDT``; `parse_symbol` undoes it."""
    return parse_symbol(symbol).replace("/", "-").replace(":", "-")


def _unified(base: str, quote: str, settle: str | None) -> Symbol:
    return f"{base}/{quote}:{settle}" if settle else f"{base}/{quote}"
