"""Which coins a headline is about, or whether it is about the whole market.

A pure function of the title, never of the universe that asks: a headline that names a coin is
about that coin for everybody. Codes are read as they are written ("GAS" is a code, "gas" is
not); names and their aliases come from one table; words of policy, exchanges and the market as
such make a headline that names no coin market-wide.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from opportunity.detectors.coin_names import CODES, DELICATE, MARKET_WORDS, NAMES, NOT_CODES

_WORD: Final = re.compile(r"\$?[^\W_]+(?:[.][^\W_]+)*(?:/[A-Z]{3,5}\b)?")
_PAIR: Final = re.compile(r"^([A-Z0-9]{1,12})/(?:USDT|USDC|USD|EUR|BTC|ETH|FDUSD)$")
_MULTIPLE: Final = re.compile(r"^(?:1000000|1000|1M)(?=[A-Z])")
_LONGEST: Final = 3
_LEAST_CAPITALS: Final = 3


@dataclass(frozen=True, slots=True)
class Links:
    """What a title is about.

    Parameters
    ----------
    codes : frozenset of str
        Base codes of coins that it names.
    capitals : frozenset of str
        Words in capitals that may be codes of coins that the table does not know.
    market : bool
        Whether it names no coin but the market as a whole.
    """

    codes: frozenset[str]
    capitals: frozenset[str] = frozenset()
    market: bool = False

    def names(self, code: str) -> bool:
        """Whether the title is about the coin with this base code."""
        return code in self.codes or code in self.capitals

    def meets(self, other: "Links") -> bool:
        """Whether two titles can be about the same thing."""
        if self.codes or other.codes:
            return not self.codes.isdisjoint(other.codes)
        return self.market == other.market


def base_code(symbol: str) -> str:
    """Return the code by which headlines call the coin of a symbol (`1000SATS/USDT`: SATS)."""
    return _MULTIPLE.sub("", symbol.partition("/")[0].upper())


def given_links(symbols: Iterable[str]) -> Links:
    """Return links to symbols that the source itself has named."""
    return Links(frozenset(base_code(s) for s in symbols))


@lru_cache(maxsize=4096)
def find_links(title: str) -> Links:
    """Find what a title is about.

    Notes
    -----
    In a title all in capitals a code that is also a word cannot be told from the word: there
    only names, pairs, `$CODE` and codes that are no words count.
    """
    text = title.translate({0x2019: "'"}).replace("'s ", " ").replace("'s", " ")
    words = _WORD.findall(text)
    shouted = not any(c.islower() for c in title)
    codes: set[str] = set()
    capitals: set[str] = set()
    market = False
    at = 0
    while at < len(words):
        code, used = _named(words, at)
        if code is None and used == 1:
            code = _coded(words[at], shouted)
        if code is not None:
            codes.add(code)
        elif _capital(words[at]) and not shouted:
            capitals.add(words[at])
        at += used
    if not codes:
        spelt = f" {' '.join(w.lower() for w in words)} "
        market = any(f" {w} " in spelt for w in MARKET_WORDS)
    return Links(frozenset(codes), frozenset(capitals), market)


def _named(words: list[str], at: int) -> tuple[str | None, int]:
    """Return the coin whose name begins at a word, and how many words the name has."""
    for n in range(min(_LONGEST, len(words) - at), 0, -1):
        spelt = " ".join(words[at : at + n])
        code = NAMES.get(spelt.lower(), DELICATE.get(spelt))
        if code is not None:
            return code or None, n
    return None, 1


def _coded(word: str, shouted: bool) -> str | None:
    """Return the coin of a code that stands for nothing else."""
    if word.startswith("$") and word[1:].isalpha():
        return word[1:].upper()
    pair = _PAIR.match(word)
    if pair:
        return pair.group(1)
    if word.lower() in CODES and CODES[word.lower()]:
        return word.upper()
    if word.isupper() and word.lower() in CODES and not shouted:
        return word
    return None


def _capital(word: str) -> bool:
    return (
        len(word) >= _LEAST_CAPITALS
        and word.isupper()
        and word.isalnum()
        and word not in NOT_CODES
    )
