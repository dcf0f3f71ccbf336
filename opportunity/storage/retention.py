"""How long rows are kept: the rule, without a database.

Age is counted from now where a table says when by the wall clock. Where it says feed time, a
market's or a book's own newest row is now: what a replay of last year has written is not old.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from opportunity.config_lists import RETENTION_DAYS

DAY_MS: Final = 86_400_000
THIN_MS: Final = 3_600_000
"""Of a table that is thinned the last row in each such stretch stays for ever."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows of a table are too old.

    Parameters
    ----------
    table : str
    time : str
        Column that says when, ms UTC.
    of : str
        Column of the market or book whose newest row is now; empty: the wall clock says it.
    thinned : bool
        Old rows are not all let go: see `THIN_MS`.
    but : tuple of str
        A column and a value whose rows are kept whatever their age; empty without.
    """

    table: str
    time: str
    of: str = ""
    thinned: bool = False
    but: tuple[str, ...] = ()


RULES: Final = (
    Rule("event", "at", but=("kind", "shadow")),  # from when challengers are compared
    Rule("candidate", "time", of="market"),
    Rule("equity_mark", "time", of="book", thinned=True),
    Rule("outbox", "created_at", but=("status", "waiting")),
    Rule("idempotent", "created_at"),
    Rule("bar_note", "noted_at", of="market"),
    Rule("observation", "available_at", of="market"),
)
"""Books, orders, fills and trades have none: money is accounted for since its beginning."""


def cutoff(rule: Rule, days: Mapping[str, int], now: int) -> int | None:
    """Return the time, ms UTC, before which rows are too old; None if they are kept for ever.

    Parameters
    ----------
    rule : Rule
    days : mapping
        Days by table, 0 for ever; the default where a table is not named.
    now : int
        What the rule counts from, ms UTC.
    """
    kept = days.get(rule.table, RETENTION_DAYS[rule.table])
    return None if kept == 0 else now - kept * DAY_MS
