"""How fast and how often a channel is used, and what its messages look like."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from opportunity.storage.outbox_rows import Row

MINUTE_MS: Final = 60_000

_LINE: Final = 300
_STAMP: Final = "[simulated] "


@dataclass(frozen=True, slots=True)
class Pace:
    """What a channel bears; times in ms of wall time.

    Parameters
    ----------
    gap_ms : int
        Least time between two messages of one kind.
    per_minute : int
        Messages within any minute.
    first_ms, longest_ms : int
        Bound of the first wait after a failure, and of any; it doubles in between.
    limited_ms : int
        Least wait after the channel has said that it is too much (status 429).
    give_up_ms : int
        Age at which a message that cannot be sent is given up.
    hold_ms : int
        How long a message belongs to the worker that took it; longer than any sending.
    most_rows, most_text : int
        Of what goes out in one message.
    """

    gap_ms: int = 5_000
    per_minute: int = 10
    first_ms: int = 5_000
    longest_ms: int = 3_600_000
    limited_ms: int = 30_000
    give_up_ms: int = 86_400_000
    hold_ms: int = 120_000
    most_rows: int = 20
    most_text: int = 3_500

    def wait_ms(self, attempts: int, error: str, rng: random.Random) -> int:
        """Return how long to wait after failure number `attempts`: anything up to the bound."""
        bound = min(self.longest_ms, self.first_ms * 2 ** min(attempts - 1, 30))
        least = self.limited_ms if error == "status 429" else 0
        return least + int(rng.random() * bound)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send now, and when to look again, ms UTC; None: when something comes."""

    rows: tuple[Row, ...]
    again_at: int | None


def plan(
    rows: Sequence[Row], sent: tuple[Mapping[str, int], Sequence[int]], now: int, pace: Pace
) -> Plan:
    """Choose the rows that go out in one message, keeping their order.

    Parameters
    ----------
    rows : sequence of Row
        What waits, oldest first.
    sent : (mapping, sequence)
        When each kind went out last, and when messages did; see `Outbox.last_sent`.
    now : int
        Wall time, ms UTC.
    pace : Pace
    """
    if not rows:
        return Plan((), None)
    kinds, times = sent
    free = [row.next_at for row in rows[:1]] + [kinds.get(rows[0].kind, -pace.gap_ms) + pace.gap_ms]
    recent = sorted(at for at in times if at > now - MINUTE_MS)
    if len(recent) >= pace.per_minute:
        free.append(recent[-pace.per_minute] + MINUTE_MS)
    if max(free) > now:
        return Plan((), max(free))
    chosen: list[Row] = []
    length = 0
    for row in rows[: pace.most_rows]:
        rested = kinds.get(row.kind, -pace.gap_ms) + pace.gap_ms <= now
        length += len(_line(row)) + 1
        if row.next_at > now or not rested or (chosen and length > pace.most_text):
            break
        chosen.append(row)
    return Plan(tuple(chosen), now)


def compose(rows: Sequence[Row]) -> tuple[str, str]:
    """Return title and text of a message about one row or several.

    Every row brings a short mark of its key: who gets the same mark twice got the same twice.
    """
    first = rows[0]
    if len(rows) == 1:
        return first.title, f"{first.body}\n{mark_of(first)}"
    stamp = _STAMP if first.title.startswith(_STAMP) else ""
    return f"{stamp}{len(rows)} alerts", "\n".join(_line(row) for row in rows)


def mark_of(row: Row) -> str:
    """Return the mark of a row, e.g. ``#3f2a90c1``."""
    return "#" + hashlib.sha256(row.key.encode()).hexdigest()[:8]


def _line(row: Row) -> str:
    at = datetime.fromtimestamp(row.created_at / 1_000, UTC).strftime("%H:%M:%S")
    text = " ".join(f"{row.title}: {row.body}".split())
    if len(text) > _LINE:
        text = text[: _LINE - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return f"{at} {text} {mark_of(row)}"
