"""What can go wrong with a REST call."""

from dataclasses import dataclass
from typing import ClassVar

from app.exchange.faults import LONGEST_S, Bounds, Choices, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault(Fault):
    """A fault of REST calls; each call is an occasion.

    `paths` are parts of the path, e.g. ``klines``; empty: all.
    """

    paths: tuple[str, ...] = ()

    def meets(self, path: str) -> bool:
        """Tell whether it is about calls of this path."""
        return not self.paths or any(part in path for part in self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit(CallFault):
    """429 or 418; all calls are then refused for `ban_s` real seconds, and counted.

    `retry_after_s` is what the header says, whole seconds; None: there is no header. `ban_s`
    None: as long as the header says.
    """

    kind: ClassVar[str] = "rate_limit"
    bounds: ClassVar[Bounds] = {"retry_after_s": (0, LONGEST_S), "ban_s": (0, LONGEST_S)}
    choices: ClassVar[Choices] = {"status": (429, 418)}
    status: int = 429
    retry_after_s: int | None = 1
    ban_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerError(CallFault):
    """A status of 500 to 599 with a body of JSON, HTML or none."""

    kind: ClassVar[str] = "server_error"
    bounds: ClassVar[Bounds] = {"status": (500, 599)}
    choices: ClassVar[Choices] = {"body": ("json", "html", "empty")}
    status: int = 500
    body: str = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlBody(CallFault):
    """A page of HTML in place of JSON."""

    kind: ClassVar[str] = "html"
    bounds: ClassVar[Bounds] = {"status": (200, 599)}
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyBody(CallFault):
    """Status 200 and no body."""

    kind: ClassVar[str] = "empty_body"


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedJson(CallFault):
    """Status 200 and only the first `keep` of the body, as if that were all of it."""

    kind: ClassVar[str] = "truncated_json"
    bounds: ClassVar[Bounds] = {"keep": (0.01, 0.99)}
    keep: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortBody(CallFault):
    """The connection ends before Content-Length bytes have come."""

    kind: ClassVar[str] = "short_body"
    bounds: ClassVar[Bounds] = {"keep": (0.0, 0.99)}
    keep: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowAnswer(CallFault):
    """The answer takes `delay_s` real seconds longer."""

    kind: ClassVar[str] = "slow"
    bounds: ClassVar[Bounds] = {"delay_s": (0.001, 600)}
    delay_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(CallFault):
    """The connection is cut without an answer."""

    kind: ClassVar[str] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance(Fault):
    """503 with HTML for every call, all sockets closed, handshakes refused."""

    kind: ClassVar[str] = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew(Fault):
    """Every time that the exchange tells is off by `by_ms`; its bars are not."""

    kind: ClassVar[str] = "clock_skew"
    bounds: ClassVar[Bounds] = {"by_ms": (-86_400_000, 86_400_000)}
    by_ms: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delist(Fault):
    """Symbols stop to trade: status BREAK, code -1121, no frame any more."""

    kind: ClassVar[str] = "delist"

    def check(self) -> None:
        """Raise where no symbol is named: an exchange without markets is no delisting."""
        if not self.symbols:
            raise ValueError("symbols must be given for delist, was ()")
