"""The coins of the simulated market: real base codes, invented numbers of plausible size."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.feeds.simulation.randomness import branch, key_of, normal, uniform

COIN: Final = np.dtype(
    [
        ("key", "u8"),
        ("beta", "f8"),  # times the market factor's log return
        ("sigma", "f8"),  # standard deviation of a week's own log return
        ("log_price", "f8"),  # log of the long-run price, quote currency
        ("ticks", "f8"),  # price steps per unit of quote currency, a power of ten
        ("lots", "f8"),  # volume steps per unit of base currency, a power of two
        ("log_turnover", "f8"),  # log of the usual hour's turnover, quote currency
        ("trades", "f8"),  # prints of a usual minute
    ],
    align=True,
)

# base code: long-run price in USDT, beta, own weekly volatility, turnover of a day in million USDT
_TABLE: Final[dict[str, tuple[float, float, float, float]]] = {
    "BTC": (42_000, 0.92, 0.022, 1800),
    "ETH": (2_300, 1.16, 0.044, 1100),
    "SOL": (70, 1.42, 0.100, 620),
    "BNB": (320, 0.98, 0.066, 300),
    "XRP": (0.62, 1.10, 0.098, 420),
    "DOGE": (0.11, 1.30, 0.120, 330),
    "ADA": (0.55, 1.26, 0.086, 160),
    "AVAX": (28, 1.46, 0.104, 130),
    "LINK": (13, 1.32, 0.092, 140),
    "DOT": (8.5, 1.30, 0.078, 80),
    "TRX": (0.095, 0.72, 0.062, 90),
    "LTC": (88, 1.16, 0.074, 150),
    "BCH": (310, 1.24, 0.096, 90),
    "POL": (0.75, 1.38, 0.100, 110),
    "UNI": (7.6, 1.36, 0.106, 70),
    "ATOM": (9.8, 1.28, 0.086, 55),
    "XLM": (0.14, 1.08, 0.094, 48),
    "ETC": (24, 1.26, 0.090, 80),
    "FIL": (6.2, 1.40, 0.098, 75),
    "NEAR": (4.3, 1.50, 0.112, 85),
    "APT": (9.1, 1.44, 0.112, 60),
    "ARB": (1.05, 1.48, 0.100, 70),
    "OP": (2.1, 1.50, 0.110, 64),
    "INJ": (21, 1.42, 0.130, 52),
    "SUI": (1.35, 1.40, 0.126, 130),
    "AAVE": (115, 1.36, 0.104, 46),
    "MKR": (1_650, 1.06, 0.098, 28),
    "ALGO": (0.21, 1.28, 0.092, 30),
    "VET": (0.029, 1.30, 0.094, 24),
    "ICP": (9.4, 1.32, 0.116, 40),
    "HBAR": (0.083, 1.22, 0.110, 42),
    "GRT": (0.19, 1.44, 0.118, 26),
    "SAND": (0.52, 1.42, 0.108, 36),
    "MANA": (0.49, 1.38, 0.108, 25),
    "AXS": (8.2, 1.38, 0.118, 22),
    "EGLD": (46, 1.26, 0.098, 14),
    "XTZ": (1.02, 1.22, 0.088, 12),
    "THETA": (1.25, 1.36, 0.114, 18),
    "SHIB": (0.0000155, 1.30, 0.128, 150),
    "PEPE": (0.0000041, 1.46, 0.170, 190),
}

COINS: Final = tuple(f"{code}/USDT" for code in _TABLE)
"""The forty symbols of the table, largest names first."""


def symbols_of(wanted: int | Iterable[str]) -> tuple[str, ...]:
    """Return the symbols of a universe: the first `wanted` ones, or the named ones, checked.

    Beyond the forty of the table a number invents codes (`X0041/USDT` and so on).

    Raises
    ------
    ValueError
        If a name is unknown or repeated, or the number is outside [1, 2000].
    """
    if isinstance(wanted, int):
        if not 1 <= wanted <= 2000:
            raise ValueError(f"symbols must be between 1 and 2000, was {wanted}")
        invented = (f"X{i:04d}/USDT" for i in range(len(COINS) + 1, wanted + 1))
        return (*COINS[:wanted], *invented)
    names = tuple(wanted)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"symbols must be a non-empty list without repeats, was {names}")
    for name in names:
        if not exists(name):
            raise ValueError(unknown("symbol", name, COINS))
    return names


def exists(symbol: str) -> bool:
    """Tell whether the simulated market knows `symbol`."""
    base, _, quote = symbol.partition("/")
    if quote != "USDT":
        return False
    return base in _TABLE or (len(base) == 5 and base[0] == "X" and base[1:].isdecimal())


def coins(symbols: tuple[str, ...], seed: int) -> NDArray[Any]:
    """Build the `COIN` record of each symbol; invented codes draw theirs from their key."""
    table = np.zeros(len(symbols), COIN)
    for coin, symbol in zip(table, symbols, strict=True):
        key = key_of(seed, symbol)
        row = _TABLE.get(symbol.partition("/")[0])
        price, beta, sigma, turnover = row if row is not None else _invent(key)
        coin["key"] = key
        coin["beta"], coin["sigma"] = beta, sigma
        coin["log_price"] = np.log(price)
        # five significant digits at the long-run price, and cents, as exchanges do
        coin["ticks"] = 10.0 ** max(2, 4 - int(np.floor(np.log10(price))))
        # a lot is worth about half a unit of quote currency; sums of lots are exact in float64
        coin["lots"] = 2.0 ** np.round(np.log2(2.0 * price))
        coin["log_turnover"] = np.log(turnover * 1e6 / 24)
        coin["trades"] = 6.0 * (1.0 + np.log10(1.0 + turnover)) ** 1.4
    return table


def _invent(key: np.uint64) -> tuple[float, float, float, float]:
    own = branch(key, 99)
    price = float(np.exp(normal(own, 0) * 2.5))
    beta = 1.0 + 0.6 * float(uniform(own, 1))
    sigma = 0.08 + 0.08 * float(uniform(own, 2))
    return price, beta, sigma, float(np.exp(1.0 + normal(own, 3)))
