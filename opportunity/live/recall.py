"""What was known besides bars when stored or asked-for bars closed."""

from collections.abc import Iterable, Sequence

from opportunity.detectors import DETECTORS
from opportunity.feeds.base import Feed
from opportunity.feeds.record_folder import FolderRecords
from opportunity.live.observers import PRINTS_MS, Observers
from opportunity.market.observations import Record, Trades, by_availability

RecordSource = FolderRecords | Iterable[Record]
"""A data folder, or records in memory."""


def fresh_observers(symbols: Sequence[str]) -> Observers:
    """Return observers of some symbols that know nothing yet."""
    return Observers([kind() for kind in DETECTORS], tuple(symbols))


def recall(source: RecordSource, symbols: Sequence[str], first: int, last: int) -> Observers:
    """Take what mattered to closes from `first` to `last`, ms UTC.

    Raises
    ------
    ValueError
        If a file of records breaks a rule.
    """
    known = fresh_observers(symbols)
    if isinstance(source, FolderRecords):
        found: list[Record] = []
        for kind, memory in known.needs.items():
            found += source.between((kind,), first - _reach(kind, memory), last + 1, symbols)
    else:
        found = list(source)
    known.take(by_availability(found))
    return known


async def recall_feed(feed: Feed, symbols: Sequence[str], end: int) -> Observers:
    """Take what a feed knew at a time, ms UTC, and what mattered to it."""
    known = fresh_observers(symbols)
    found: list[Record] = []
    for kind, memory in known.needs.items():
        found += await feed.observations((kind,), end - _reach(kind, memory), end + 1)
    known.take(by_availability(found))
    return known


def _reach(kind: type[Record], memory: int) -> int:
    return min(memory, PRINTS_MS) if kind is Trades else memory
