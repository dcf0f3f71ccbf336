"""Events that a client missed, gathered while new ones come."""

from collections.abc import Mapping

from app.api.messages import Message
from app.api.source import MOST_MISSED, Source
from opportunity.contracts.realtime import Channel

Missed = dict[Channel, list[Message] | None]


async def replay(source: Source, since: Mapping[Channel, int]) -> Missed:
    """Return the events after these numbers, up to this very moment.

    Nothing is awaited after the last look at `source.seqs()`: who goes on from there on the same
    turn of the loop has no hole and hears nothing twice.

    Parameters
    ----------
    source : Source
    since : mapping
        Newest number seen, by channel.

    Returns
    -------
    dict
        By channel, in the order of the numbers; None where they cannot be had, see
        `Source.missed`, or are more than `MOST_MISSED`.
    """
    found: Missed = {channel: [] for channel in since}
    reached = dict(since)
    while behind := _behind(source, found, reached):
        for channel in behind:
            have, more = found[channel], await source.missed(channel, reached[channel])
            if not more or have is None or len(have) + len(more) > MOST_MISSED:
                found[channel] = None
            else:
                found[channel], reached[channel] = have + more, more[-1].seq
    return found


def _behind(source: Source, found: Missed, reached: Mapping[Channel, int]) -> list[Channel]:
    seqs = source.seqs()
    return [c for c, seq in reached.items() if found[c] is not None and seqs.get(c, 0) != seq]
