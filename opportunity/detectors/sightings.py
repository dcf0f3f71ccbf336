"""Sightings: the few living things that a detector sees, newest first, for words.

A detector's events are a history. What matters to a reader is what still holds: of each thing
the newest record, if its state is alive, weighed by its quality and its age.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors import DETECTORS
from opportunity.detectors.base import Detector
from opportunity.detectors.events import (
    ACTIVE,
    EVENT,
    FORMING,
    STATES,
    TOUCHED,
    Event,
    read_events,
)
from opportunity.detectors.inputs import Observed
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.observations import Record

ALIVE: Final = (FORMING, ACTIVE, TOUCHED)
MOST: Final = 2
"""Sightings that are told of one detector and side."""

FAINTEST: Final = 0.02
"""Strength below which a thing is no longer told: where evidence leaves a detector's list."""

HALF_LIFE: Final = 12.0
"""Bars in which a thing without a swing scale loses half of its strength."""

SCALE_BARS: Final = 8.0
"""Bars for each ATR of its swing scale in which a thing loses half, at least `HALF_LIFE`."""

BADGED: Final = frozenset((d.name, k.name) for d in DETECTORS for k in d.kinds if k.badge)
"""Kinds of events, by name of the detector and their own, that are news and not only drawn."""

Sightings = dict[tuple[str, int], tuple["Sighting", ...]]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that a detector sees on a bar.

    Parameters
    ----------
    detector, kind : str
        Who sees it, and what it is called.
    side : int
        +1 bullish, -1 bearish.
    state : str
        ``forming``, ``active`` or ``touched``.
    quality : float
        [0, 1].
    age : int
        Bars since it was last heard of, 0 on the bar itself.
    time : int
        Opening time of that bar, ms UTC.
    text : str
        In words, with the side and without the state: ``Bearish breakout at 64,210``.
    """

    detector: str
    kind: str
    side: int
    state: str
    quality: float
    age: int
    time: int
    text: str


def look(
    bars: Bars, bar: int = -1, observations: Iterable[Record] | Mapping[str, Observed] | None = None
) -> Sightings:
    """Run every detector up to one bar and choose what is told of it.

    Parameters
    ----------
    bars : Bars
        Closed bars, ascending.
    bar : int
        Which one; negative numbers count from the end.
    observations : iterable of records, or mapping of Observed by detector, optional
        What was known besides the bars, as `opportunity.score` takes it.

    Returns
    -------
    dict
        See `sightings`.
    """
    past = bars[: range(len(bars))[bar] + 1]
    given = observations if isinstance(observations, Mapping | None) else list(observations)
    events: list[Event] = []
    for detector in (d() for d in DETECTORS):
        known = given.get(detector.label) if isinstance(given, Mapping) else given
        events += living(detector, past, detector.observe(bars, known).rows[: len(past)])
    return sightings(events, past)


def living(
    detector: Detector, bars: Bars, observed: FloatArray | None = None
) -> list[Event]:
    """Return the newest record of each thing that is alive on the last bar, oldest first.

    Parameters
    ----------
    detector : Detector
        With its parameters; its own stream is not touched.
    bars : Bars
        Closed bars up to the one that is asked about.
    observed : ndarray, shape (n_bars, n_columns), optional
        What `Detector.observe` joined with the bars, for a detector that reads more than bars.

    Notes
    -----
    One pass of the kernel. Things too faint to be told are left out, so few are put into words
    however long the history is.
    """
    records = records_of(detector, bars, observed)
    thing = records["serial"] * len(detector.kinds) + records["kind"]
    # Of each thing the last place counts; `unique` returns first places, so it reads backwards.
    newest = np.sort(records.size - 1 - np.unique(thing[::-1], return_index=True)[1])
    last = records[newest]
    half_life = np.maximum(HALF_LIFE, SCALE_BARS * last["scale"])
    strength = last["quality"] * np.exp2((last["bar"] - (len(bars) - 1)) / half_life)
    told = np.isin(last["state"], ALIVE) & (strength >= FAINTEST)
    return read_events(last[told], detector.label, detector.kinds)


def records_of(
    detector: Detector, bars: Bars, observed: FloatArray | None = None
) -> NDArray[Any]:
    """Return the raw event records (dtype `EVENT`) of all bars, oldest first; see `living`."""
    n = len(bars)
    room = np.empty((1, n * detector.most_events), EVENT)
    counts = np.zeros(1, np.int64)
    obs = np.full((n, len(detector.columns)), np.nan) if observed is None else observed
    detector.run(
        detector.new_states(1), np.zeros(1, np.int64), detector.packed, bars.time[None],
        bars.values[None], obs[None], np.empty((1, n, detector.width)), room, counts,
    )
    return room[0, : int(counts[0])]


def sightings(events: Iterable[Event], bars: Bars, most: int = MOST) -> Sightings:
    """Choose what is told of each detector and side.

    Parameters
    ----------
    events : iterable of Event
        Oldest first; of one thing only the newest record counts.
    bars : Bars
        Up to the bar that is asked about; ages are counted from its end.
    most : int
        Sightings of each detector and side.

    Returns
    -------
    dict
        By name of the detector and side (+1, -1): the strongest, those with a badge first.
        Strength is quality, halved every 12 bars, or every 8 bars for each ATR of its scale.
    """
    found: dict[tuple[str, int], list[tuple[bool, float, Sighting]]] = {}
    for event in {(e.id, e.kind): e for e in events}.values():
        if event.side == 0 or STATES.index(event.state) not in ALIVE:
            continue
        age = len(bars) - 1 - int(np.searchsorted(bars.time, event.time))
        half_life = max(HALF_LIFE, SCALE_BARS * (event.scale or 0.0))
        strength = event.quality * 2.0 ** (-age / half_life)
        if strength >= FAINTEST:
            badged = (event.detector, event.kind) in BADGED
            seen = Sighting(
                event.detector, event.kind, event.side, event.state, event.quality, age,
                event.time, _text(event),
            )
            found.setdefault((event.detector, event.side), []).append((badged, strength, seen))
    return {key: _strongest(several, most) for key, several in found.items()}


def _strongest(several: list[tuple[bool, float, Sighting]], most: int) -> tuple[Sighting, ...]:
    """Put badged kinds before others, then the stronger ones; what reads the same is told once."""
    ordered = (s for _, _, s in sorted(several, key=lambda f: (not f[0], -f[1])))
    return tuple(list({s.text: s for s in reversed(list(ordered))}.values())[::-1][:most])


def _text(event: Event) -> str:
    """Leave out a state at the end: it is told apart."""
    for ending in (f" ({event.state})", f", {event.state}", f" {event.state}"):
        if event.text.endswith(ending):
            return event.text.removesuffix(ending)
    return event.text
