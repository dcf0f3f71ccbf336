"""Headlines in what a source answers: RSS, Atom, JSON Feed and plain lists of JSON objects.

What comes over the wire is never trusted: entities and external references are refused, markup
is taken out of titles, a missing or broken date is a missing date. Slightly broken XML, which is
common (a bare `&`, `&nbsp;`, a wrong encoding), is mended once.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from opportunity.market.timeframe import EARLIEST_MS, LATEST_MS

LONGEST_TITLE: Final = 500
"""Characters of a title that are kept."""

MOST_ENTRIES: Final = 1_000
"""Entries of one answer that are read, from its beginning."""

_ITEMS: Final = frozenset(("item", "entry"))
_DATES: Final = ("published", "pubDate", "date", "issued", "updated", "date_published",
                 "published_at", "pub_date", "published_on", "timestamp", "time")  # fmt: skip
_LISTS: Final = ("items", "entries", "articles", "results", "data", "Data", "headlines", "news")
_TAG: Final = re.compile(r"<[a-zA-Z/!][^<>]*>")
_SYMBOL: Final = re.compile(r"^[A-Z0-9]{1,15}/[A-Z0-9]{2,10}$")
_ENTITY: Final = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)(?:\w{0,32};)?"
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARED: Final = re.compile(rb"""^[^>]{0,80}encoding=["']([A-Za-z0-9._-]{2,40})["']""")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")


class FeedError(ValueError):
    """Raised when an answer holds no feed; the text says why, never what was in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One headline of an answer.

    Parameters
    ----------
    key : str
        By which its source tells it from others.
    title : str
        Plain text.
    publisher : str
        Empty where the answer does not say.
    published : int or None
        ms UTC, as the publisher says it; None where it does not.
    symbols : tuple of str
        Such as ``BTC/USDT``, where a source of JSON names them.
    """

    key: str
    title: str
    publisher: str = ""
    published: int | None = None
    symbols: tuple[str, ...] = ()


def parse_entries(body: bytes, charset: str = "") -> list[Entry]:
    """Read the headlines of an answer, in its order; those without a title are left out.

    Parameters
    ----------
    body : bytes
    charset : str
        As the server names it; used only where the body cannot be read without.

    Raises
    ------
    FeedError
        If the body is neither XML nor JSON, declares entities, or holds no list of entries.

    Notes
    -----
    Pure; takes up to 0.1 s for a megabyte, so call it in a thread.
    """
    start = body[:4096].lstrip(b"\xef\xbb\xbf\x00 \t\r\n")[:1]
    entries = _from_json(body) if start in (b"{", b"[") else _from_xml(body, charset)
    return [e for _, e in zip(range(MOST_ENTRIES), entries, strict=False) if e.title]


def plain(text: str) -> str:
    """Return a title without markup, control characters and runs of blanks, cut to length."""
    text = text[: 20 * LONGEST_TITLE]
    for _ in range(2):  # markup is often escaped twice
        text = _TAG.sub(" ", html.unescape(text))
    text = _CONTROL.sub(" ", text)
    return " ".join(text.split())[:LONGEST_TITLE]


def read_date(value: Any) -> int | None:
    """Return a date as ms UTC: RFC 822, ISO 8601, or seconds or ms since 1970; else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdigit()):
        number = float(value) if len(str(value)) < 24 else 0.0
        found = number if abs(number) >= 1e11 else number * 1_000.0
        return int(found) if EARLIEST_MS <= found < LATEST_MS else None
    if not isinstance(value, str) or len(value) > 100:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(value.strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
            found = moment.timestamp() * 1_000.0
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return int(found) if EARLIEST_MS <= found < LATEST_MS else None
    return None


def _from_xml(body: bytes, charset: str) -> Iterator[Entry]:
    try:
        root = fromstring(body)
    except DefusedXmlException as error:
        raise FeedError(f"XML must not declare entities ({type(error).__name__})") from None
    except (ParseError, ValueError, LookupError):
        root = _mended(body, charset)
    items = [element for element in root.iter() if _name(element) in _ITEMS]
    if not items and _name(root) not in ("rss", "feed", "RDF"):
        raise FeedError("XML must be RSS or Atom")
    return (_xml_entry(item) for item in items)


def _mended(body: bytes, charset: str) -> Element:
    """Read XML with the usual faults: encoding, control characters, bare or unknown entities."""
    declared = _DECLARED.match(body[:200])
    names = [n for n in (declared.group(1).decode() if declared else "", charset, "utf-8") if n]
    text = ""
    for name in dict.fromkeys([*names, "cp1252"]):
        try:
            text = body.decode(name)
            break
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    text = _CONTROL.sub("", _DECLARATION.sub("", text.lstrip("\ufeff")))
    text = _ENTITY.sub(lambda m: _letter(m.group()), text)
    try:
        root: Element = fromstring(text.encode("utf-8", "replace"))
    except DefusedXmlException as error:
        raise FeedError(f"XML must not declare entities ({type(error).__name__})") from None
    except (ParseError, ValueError) as error:
        code = getattr(error, "code", type(error).__name__)
        raise FeedError(f"body must be XML or JSON, was neither (error {code})") from None
    return root


def _letter(entity: str) -> str:
    """Return what HTML means by an entity that XML does not know, escaped."""
    return html.escape(html.unescape(entity)) if entity.endswith(";") else f"&amp;{entity[1:]}"


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _xml_entry(item: Element) -> Entry:
    parts: dict[str, Element] = {}
    for part in item:
        parts.setdefault(_name(part), part)
    title = plain("".join(parts["title"].itertext())) if "title" in parts else ""
    link = parts.get("link")
    address = (link.text or link.get("href") or "") if link is not None else ""
    key = _text(parts.get("guid")) or _text(parts.get("id")) or address.strip() or title
    dates = (read_date(_text(parts.get(name))) for name in _DATES)
    published = next((d for d in dates if d is not None), None)
    source = parts.get("source")  # RSS holds a name, Atom a feed with a title
    inner = next((e for e in source if _name(e) == "title"), source) if source is not None else None
    return Entry(key[:LONGEST_TITLE], title, plain(_text(inner)), published)


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _from_json(body: bytes) -> Iterator[Entry]:
    try:
        answer = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        raise FeedError("body must be XML or JSON, was neither") from None
    if isinstance(answer, dict):
        named = (answer.get(name) for name in _LISTS)
        answer = next((found for found in named if isinstance(found, list)), None)
    if not isinstance(answer, list):
        raise FeedError(f"JSON must hold a list under one of {', '.join(_LISTS)}")
    return (_json_entry(item) for item in answer if isinstance(item, dict))


def _json_entry(item: dict[str, Any]) -> Entry:
    title = next((item[n] for n in ("title", "headline") if isinstance(item.get(n), str)), "")
    title = plain(title)
    key = next((item[n] for n in ("id", "guid", "url", "link") if item.get(n)), title)
    dates = (read_date(item.get(name)) for name in _DATES)
    listed = item.get("symbols")
    symbols = [s for s in listed if isinstance(s, str) and _SYMBOL.match(s)] if isinstance(
        listed, list
    ) else []  # fmt: skip
    return Entry(
        str(key)[:LONGEST_TITLE], title, _publisher(item),
        next((d for d in dates if d is not None), None), tuple(symbols[:20]),
    )  # fmt: skip


def _publisher(item: dict[str, Any]) -> str:
    """Return the name under `publisher` or `source`, which may be an object that has one."""
    for name in ("publisher", "source", "source_info"):
        value = item.get(name)
        if isinstance(value, dict):
            value = value.get("title") or value.get("name")
        if isinstance(value, str) and value.strip():
            return plain(value)[:100]
    return ""
