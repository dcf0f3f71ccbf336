"""What can go wrong with a socket or with a frame on it."""

from dataclasses import dataclass
from typing import ClassVar

from app.exchange.faults import LONGEST_S, Bounds, Choices, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Fault):
    """Sockets stay alive and answer pings but send no data; each socket is an occasion.

    With `symbols` only their frames stop. `new_too`: also sockets that connect later.
    """

    kind: ClassVar[str] = "stall"
    new_too: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfOpen(Fault):
    """Sockets send nothing at all any more, no pongs either, and stay open."""

    kind: ClassVar[str] = "half_open"
    new_too: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Fault):
    """Sockets are cut without a closing frame (a client sees 1006).

    Each open socket is an occasion, once, or every `period_s` real seconds.
    """

    kind: ClassVar[str] = "drop"
    bounds: ClassVar[Bounds] = {"period_s": (0.05, LONGEST_S)}
    period_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCut(Fault):
    """Sockets are closed properly when they are `age_s` real seconds old (Binance: 24 h)."""

    kind: ClassVar[str] = "day_cut"
    bounds: ClassVar[Bounds] = {"age_s": (0.05, LONGEST_S)}
    age_s: float = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeRefuse(Fault):
    """A WebSocket handshake is answered with an error; each is an occasion."""

    kind: ClassVar[str] = "handshake"
    bounds: ClassVar[Bounds] = {"status": (400, 599), "retry_after_s": (0, LONGEST_S)}
    status: int = 503
    retry_after_s: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAck(Fault):
    """A SUBSCRIBE is answered with an error and does nothing; each is an occasion."""

    kind: ClassVar[str] = "error_ack"
    bounds: ClassVar[Bounds] = {"code": (0, 9_999)}
    code: int = 2
    message: str = "Invalid request: invalid stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFault(Fault):
    """A fault of single data frames; each frame is an occasion.

    `closing`: only frames that close a bar.
    """

    closing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate(FrameFault):
    """A frame comes `copies` more times."""

    kind: ClassVar[str] = "duplicate"
    bounds: ClassVar[Bounds] = {"copies": (1, 20)}
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder(FrameFault):
    """A frame is held back for `delay_s` real seconds, so that later ones overtake it."""

    kind: ClassVar[str] = "reorder"
    bounds: ClassVar[Bounds] = {"delay_s": (0.01, 600)}
    delay_s: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrame(FrameFault):
    """Garbage before a frame, or in its place: ``[]``, cut JSON, or a kline without ``k``."""

    kind: ClassVar[str] = "bad_frame"
    choices: ClassVar[Choices] = {"what": ("list", "cut", "no_k")}
    what: str = "list"
    instead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthGap(Fault):
    """An update of the book is left out, so that the sequence has a hole."""

    kind: ClassVar[str] = "depth_gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap(Fault):
    """The streams of two symbols carry each other's bars; REST and tickers do not."""

    kind: ClassVar[str] = "swap"

    def check(self) -> None:
        """Raise unless exactly two symbols are named."""
        if len(set(self.symbols)) != 2:
            raise ValueError(f"symbols must be two for swap, was {self.symbols}")
