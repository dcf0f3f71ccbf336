"""Chart events: what a detector saw, with the time it became known, for overlays and words.

Kernels write fixed-size `EVENT` records into their state (`n_events`, `events`); this module
turns them into `Event` objects. A changed state of the same thing (a zone touched, a pattern
done) is a new record with the same id, never an edit of the past.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.prices import Price

N_EVENTS: Final = 8
"""Room for events of one bar in most states; kernels drop what exceeds it, weakest kind last."""

N_POINTS: Final = 6
FORMING, ACTIVE, TOUCHED, DONE, INVALID, EXPIRED = range(6)
STATES: Final = ("forming", "active", "touched", "done", "invalid", "expired")

EVENT: Final = np.dtype(
    [
        ("serial", "i8"),  # counts the things a stream has seen; part of the id
        ("kind", "i4"),  # index into the detector's `kinds`
        ("side", "i1"),  # +1 bullish, -1 bearish, 0 neither
        ("state", "i1"),
        ("n_points", "i1"),
        ("scale", "f8"),  # swing scale in ATR, 0 where it does not apply
        ("bar", "i8"),  # number of the bar (from 0) of this record
        ("known", "i8"),  # opening time of that bar, ms UTC
        ("quality", "f8"),  # [0, 1]
        ("time", "i8", (N_POINTS,)),
        ("price", "f8", (N_POINTS,)),
        ("top", "f8"),  # zone, NaN where there is none
        ("bottom", "f8"),
        ("entry", "f8"),  # levels, NaN where there are none
        ("stop", "f8"),
        ("target", "f8", (3,)),
        ("x", "f8"),  # a number for the text, e.g. a ratio
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: its name, its words and the letters of its points.

    `text` is formatted with `side` ("Bullish"), `price` (of the last point, written as prices
    are: ``{price}`` gives 64,210), `quality`, `x` and `state`. `badge` is the short name shown
    beside a symbol; empty for what only a chart shows. `words` are what `side` reads for neither,
    bullish, bearish. `lasting` is a thing that is over when it is done (a gap is filled, a mood
    has left its extreme); other things are complete then, and begin to count.
    """

    name: str
    text: str
    labels: tuple[str, ...] = ()
    badge: str = ""
    words: tuple[str, str, str] = ("Neutral", "Bullish", "Bearish")
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something a detector saw; see `EVENT` for units."""

    id: str
    detector: str
    kind: str
    side: int
    state: str
    scale: float | None
    bar: int
    time: int
    quality: float
    points: tuple[tuple[int, float, str], ...]
    zone: tuple[float, float] | None
    entry: float | None
    stop: float | None
    targets: tuple[float, ...]
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return the event as plain values."""
        return asdict(self)


def read_events(records: NDArray[Any], detector: str, kinds: tuple[Kind, ...]) -> list[Event]:
    """Turn kernel records of one detector into events, in the same order."""
    return [_read(record, detector, kinds[int(record["kind"])]) for record in records]


def _read(record: Any, detector: str, kind: Kind) -> Event:
    n = int(record["n_points"])
    labels = kind.labels + ("",) * (n - len(kind.labels))
    points = tuple(
        (int(t), float(p), label)
        for t, p, label in zip(record["time"][:n], record["price"][:n], labels, strict=False)
    )
    side, state = int(record["side"]), STATES[int(record["state"])]
    quality, x = float(record["quality"]), float(record["x"])
    return Event(
        id=f"{detector}-{int(record['serial'])}",
        detector=detector,
        kind=kind.name,
        side=side,
        state=state,
        scale=float(record["scale"]) or None,
        bar=int(record["bar"]),
        time=int(record["known"]),
        quality=quality,
        points=points,
        zone=None if np.isnan(record["top"]) else (float(record["top"]), float(record["bottom"])),
        entry=_level(record["entry"]),
        stop=_level(record["stop"]),
        targets=tuple(float(t) for t in record["target"] if t > 0),
        text=kind.text.format(
            side=kind.words[side],  # -1 is the last
            price=Price(points[-1][1] if points else "nan"),
            quality=quality,
            x=x,
            state=state,
        ),
    )


# Kernels treat both sides alike, so a ratio may forecast less than nothing: that is no price.
def _level(value: Any) -> float | None:
    return float(value) if value > 0 else None
