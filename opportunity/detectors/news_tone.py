"""Tone and impact of a headline, from our own weighted list of market and crypto words.

General word lists do not know these words: to them "hack", "halts withdrawals" and "bullish" are
neutral. Negation turns a word's sign, "may" and questions halve it, and verbs of price count
half because they tell of a move that is already in the price.

Source: Loughran and McDonald, Journal of Finance, 2011 (word lists made for the field, negated
positives); Hutto and Gilbert, ICWSM, 2014 (negation factor, x / sqrt(x^2 + c)).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import product
from typing import Final

NEGATION: Final = -0.8
UNSURE: Final = 0.5
PRICE: Final = 0.5
REACH: Final = 3
"""Words over which a negation works."""

GAP: Final = 3
"""Words that may stand in the gap of a term."""

SOFT: Final = 4.0
"""The tone of a sum x is x / sqrt(x^2 + SOFT)."""

LEAST_IMPACT: Final = 0.3
UNSURE_IMPACT: Final = 0.6
"""Most that a word after "may", "plans to" and the like can add to the impact."""

_BARRIERS: Final = frozenset((
    "after", "although", "amid", "as", "because", "before", "but", "despite", "following",
    "since", "though", "when", "while",
))  # fmt: skip
"""Words across which nothing is negated: what comes behind them is another thing."""

_COMMENT: Final = re.compile(
    r"\?|^(?:opinion|op ed|explainer|explained|survey)\b|\b(?:price analysis|roundup|more news|"
    r"q & a|guide|key takeaways|to watch|need to know|(?:things|reasons) (?:to|why|every))\b|"
    r"^(?:why|how|what|here's|top \d+)\b"
)
_URL: Final = re.compile(r"(?:https?://|www\.)\S+")
_TOKEN: Final = re.compile(r"[$&]?[a-z0-9%]+(?:[,.]\d+)*%?(?:'[a-z]+)?|[,;:.!?()|\u2013\u2014]")


@dataclass(frozen=True, slots=True)
class Term:
    """An entry of the list: one to four words, `None` standing for up to `GAP` words between."""

    words: tuple[str | None, ...]
    role: str
    tone: float
    impact: float


@dataclass(slots=True)
class Hit:
    """A term found in a title, at words [start, end) of part `part`."""

    term: Term
    start: int
    end: int
    part: int
    value: float
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What the word list makes of a title.

    Parameters
    ----------
    tone : float
        In [-1, 1]; 0 when no word speaks.
    impact : float
        1.0 (hack, halt, ban, approval, insolvency), 0.6 (law, policy, adoption, flows) or 0.3
        (views, price reports, questions).
    words : tuple of str
        The terms that spoke, as written in the title.
    """

    tone: float
    impact: float
    words: tuple[str, ...]


def clean(title: str, publisher: str = "") -> str:
    """Return a title in one spelling: NFKC, lower case, without addresses and the source's name.

    Parameters
    ----------
    title : str
    publisher : str
        Cut off where the title ends with it (`Title - Publisher`).
    """
    text = unicodedata.normalize("NFKC", title).translate({0x2018: "'", 0x2019: "'", 0xA0: " "})
    text = _URL.sub(" ", text)
    if publisher:
        ending = rf"\s*[-|\u2013\u2014(]\s*{re.escape(publisher)}\)?\s*$"
        text = re.sub(ending, "", text, flags=re.IGNORECASE)
    return " ".join(text.lower().replace("-", " ").split())


def tone(title: str) -> float:
    """Return the tone of a headline in [-1, 1]: what it says for (+) or against (-) a price."""
    return read_title(title).tone


@lru_cache(maxsize=4096)
def read_title(title: str) -> Reading:
    """Return tone, impact and the words that spoke; a pure function of the title.

    Notes
    -----
    The list is in `lexicon.csv`. Where terms overlap the longest wins, then the one listed first.
    """
    text = clean(title)
    words, parts = _words(text)
    hits = list(_find(words, parts))
    _negate(hits)
    _doubt(hits)
    comment = _COMMENT.search(text) is not None
    total = sum(h.value for h in hits) * (UNSURE if comment else 1.0)
    impact = LEAST_IMPACT
    if not comment:
        limits = (min(h.term.impact, UNSURE_IMPACT if h.unsure else 1.0) for h in hits)
        impact = max(LEAST_IMPACT, *limits, 0.0)
    spoke = tuple(" ".join(words[h.start : h.end]) for h in hits if h.value)
    return Reading(total / (total * total + SOFT) ** 0.5, impact, spoke)


def _words(text: str) -> tuple[list[str], list[int]]:
    """Split into words and the number of the part of the sentence that each belongs to."""
    words: list[str] = []
    parts: list[int] = []
    part = 0
    for token in _TOKEN.findall(text):
        if len(token) == 1 and not token.isalnum():
            part += 1
            continue
        if token in _BARRIERS:
            part += 1
        words.append(token.removesuffix("'s"))
        parts.append(part)
    return words, parts


def _find(words: list[str], parts: list[int]) -> Iterator[Hit]:
    start = 0
    while start < len(words):
        hit = None
        for term in _lexicon().get(words[start], ()):
            end = _match(term, words, parts, start)
            if end:
                value = term.tone * (PRICE if term.role == "price" else 1.0)
                hit = Hit(term, start, end, parts[start], value)
                break
        if hit is None and words[start].endswith("n't"):
            hit = Hit(_NOT, start, start + 1, parts[start], 0.0)
        if hit is not None:
            yield hit
        start = hit.end if hit is not None else start + 1


def _match(term: Term, words: list[str], parts: list[int], start: int) -> int:
    """Return where a match that begins at `start` ends, 0 without one."""
    at = start
    gap = 0
    for word in term.words:
        if word is None:
            gap = GAP
            continue
        stop = min(at + gap + 1, len(words))
        while at < stop and not (words[at] == word and parts[at] == parts[start]):
            at += 1
        if at >= stop:
            return 0
        at += 1
        gap = 0
    return at


def _negate(hits: list[Hit]) -> None:
    """Turn what stands after a negation, and what stands beside "fades", "lifts" and the like."""
    for hit in [h for h in hits if h.term.role == "not"]:
        after = [
            h for h in hits
            if h.part == hit.part and 0 <= h.start - hit.end < REACH and _speaks(h)
        ]  # fmt: skip
        if any(h.value < 0 for h in after):
            hit.value = 0.0  # "denies fraud": the denial is no bad news of its own
        for h in after:
            h.value *= NEGATION
    for hit in [h for h in hits if h.term.role == "turn"]:
        beside = [
            (max(h.start - hit.end, hit.start - h.end), -h.start, h) for h in hits
            if h.part == hit.part and _speaks(h)
        ]  # fmt: skip
        near = min(beside, default=None, key=lambda b: b[:2])
        if near is not None and near[0] <= REACH:
            near[2].value *= NEGATION


def _speaks(hit: Hit) -> bool:
    return hit.term.role in {"event", "view", "price"} and hit.value != 0.0


def _doubt(hits: list[Hit]) -> None:
    """Halve what follows "may", "plans" and the like in the same part."""
    for hit in [h for h in hits if h.term.role == "maybe"]:
        for h in hits:
            if h.part == hit.part and h.start >= hit.end and not h.unsure:
                h.value *= UNSURE
                h.unsure = True


_NOT: Final = Term(("not",), "not", 0.0, 0.0)


@cache
def _lexicon() -> dict[str, tuple[Term, ...]]:
    """Read the list, by first word; longer terms first."""
    terms: dict[str, list[Term]] = {}
    text = files("opportunity.detectors").joinpath("lexicon.csv").read_text(encoding="utf-8")
    for line in text.splitlines()[1:]:
        if line.startswith("#") or not line:
            continue
        role, value, impact, listed = line.split(",", 3)
        for pattern in listed.split(";"):
            slots = [slot.split("|") for slot in pattern.split()]
            for words in product(*slots):
                spelt = tuple(None if w == "~" else w for w in words)
                term = Term(spelt, role, float(value), float(impact or 0.0))
                terms.setdefault(words[0], []).append(term)
    return {w: tuple(sorted(ts, key=lambda t: -len(t.words))) for w, ts in terms.items()}


def checked_tone(value: float) -> float:
    """Return what a tone function of the user's own gave.

    Raises
    ------
    ValueError
        If it does not lie in [-1, 1].
    """
    if not -1.0 <= value <= 1.0:
        raise ValueError(f"tone must be in [-1, 1], was {value}")
    return float(value)
