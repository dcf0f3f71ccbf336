"""What can go wrong between here and an exchange, in six kinds."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from opportunity.errors import OpportunityError

FailureKind = Literal["unreachable", "limited", "banned", "garbled", "refused", "unsupported"]
"""`unreachable`: no answer, or the venue is out of order; `limited`: it asked to wait; `banned`:
it has locked this address out; `garbled`: an answer that makes no sense; `refused`: it will not
answer this question, e.g. for a symbol that is gone; `unsupported`: it has nothing of the sort."""

LONGEST_MS: Final = 3 * 24 * 3_600_000
"""Longest pause that is believed, ms: the longest ban that an exchange is known to give."""

_RETRYABLE: Final = frozenset({"unreachable", "limited", "garbled"})

_BY_NAME: Final[tuple[tuple[str, FailureKind], ...]] = (
    # by the names of ccxt's and aiohttp's classes, the special before the general
    ("DDoSProtection", "limited"),
    ("RateLimitExceeded", "limited"),
    ("BadResponse", "garbled"),
    ("NotSupported", "unsupported"),
    ("BadRequest", "refused"),
    ("ArgumentsRequired", "refused"),
    ("OperationFailed", "unreachable"),
    ("ExchangeClosedByUser", "unreachable"),
    ("ClientPayloadError", "garbled"),
    ("ClientError", "unreachable"),
    ("TimeoutError", "unreachable"),
    ("OSError", "unreachable"),
    ("AuthenticationError", "unsupported"),  # wants a key, and there is none
    ("BaseError", "garbled"),  # an error that ccxt knows by no name of its own
    ("ArithmeticError", "garbled"),
    ("LookupError", "garbled"),
    ("ValueError", "garbled"),
    ("TypeError", "garbled"),
    ("AttributeError", "garbled"),
)
_WORDS: Final[dict[str, str]] = {
    "unreachable": "cannot be reached",
    "limited": "asked to wait",
    "banned": "has locked this address out",
    "garbled": "gave an answer that makes no sense",
    "refused": "refused the question",
    "unsupported": "does not offer this",
}
_ADDRESS: Final = re.compile(r"\w+://\S+")


class VenueError(OpportunityError):
    """Raised when a venue does not give what was asked.

    Parameters
    ----------
    text : str
        One plain line for people.
    kind : str
        See `FailureKind`.
    retry_at : int, optional
        Not to be asked again before, ms UTC of the wall clock.
    """

    def __init__(self, text: str, kind: FailureKind, retry_at: int | None = None) -> None:
        super().__init__(text)
        self.kind: FailureKind = kind
        self.retry_at = retry_at

    @property
    def retryable(self) -> bool:
        """Whether the same question may be answered a moment later."""
        return self.kind in _RETRYABLE

    @property
    def passing(self) -> bool:
        """Whether waiting may help, be it for long."""
        return self.retryable or self.kind == "banned"


def classify(
    error: BaseException, headers: Mapping[str, str], now_ms: int, venue: str = "the venue"
) -> VenueError:
    """Say what an error of ccxt, of the network or of a parser means.

    Parameters
    ----------
    error : exception
        As raised; told apart by the names of its classes.
    headers : mapping
        Of the answer; empty where there was none.
    now_ms : int
        Wall time, ms UTC.
    venue : str
        Its name, for the text.
    """
    if isinstance(error, VenueError):
        return error
    kind = _kind(error)
    wait = retry_after_ms(headers, now_ms) if kind in ("limited", "unreachable") else None
    return VenueError(
        f"{venue} {_WORDS[kind]}: {_detail(error)}", kind, None if wait is None else now_ms + wait
    )


def retry_after_ms(headers: Mapping[str, str], now_ms: int) -> int | None:
    """Read how long a venue asks to be left alone.

    Parameters
    ----------
    headers : mapping
        Of its answer. ``Retry-After`` is seconds or an HTTP date; a date is held against the
        ``Date`` of the same answer, so that it does not matter if clocks differ.
    now_ms : int
        Wall time, ms UTC; used where there is no ``Date``.

    Returns
    -------
    int or None
        Milliseconds > 0, at most `LONGEST_MS`; None where nothing sensible is asked.
    """
    named = {k.lower(): v for k, v in headers.items()}
    text = named.get("retry-after", "").strip()
    if not text:
        return None
    try:
        wait = float(text) * 1000.0
    except ValueError:
        at, sent = moment_ms(text), moment_ms(named.get("date", ""))
        if at is None:
            return None
        wait = at - (now_ms if sent is None else sent)
    if math.isnan(wait) or wait <= 0:
        return None
    return math.ceil(min(wait, LONGEST_MS))


def moment_ms(text: str) -> float | None:
    """Read an HTTP date, ms UTC; None where it is none."""
    try:
        moment: datetime = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000.0


def told(error: BaseException, most: int = 200) -> str:
    """Return what an error says in one line, without addresses: they may hold a token."""
    return " ".join(_ADDRESS.sub("", str(error)).split())[:most]


def _kind(error: BaseException) -> FailureKind:
    names = {c.__name__ for c in type(error).__mro__}
    cause = type(error.__cause__).__name__ if "ExchangeError" in names else ""
    if cause == "ClientPayloadError":
        return "garbled"  # a body that was cut; ccxt gives it no name of its own
    if cause == "ClientHttpProxyError":
        return "unreachable"  # it is the proxy that refused
    return next((kind for name, kind in _BY_NAME if name in names), "unreachable")


def _detail(error: BaseException) -> str:
    if type(error).__name__ == "RequestTimeout":
        return "no answer in time"
    if type(error.__cause__).__name__ == "ClientHttpProxyError":
        return "the proxy refused"
    return told(error) or type(error).__name__
