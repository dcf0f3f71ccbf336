"""Lists of symbols under a name: choose, make, fill and delete them."""

from collections.abc import Sequence
from typing import Any

from app.components.desk import Desk, desk_module
from opportunity.storage.watchlists import Watchlist


def watchlists_state(lists: Sequence[Watchlist], symbols: Sequence[str]) -> dict[str, Any]:
    """Return the lists by name, and the symbols that are watched now."""
    watched = set(symbols)
    return {
        "lists": [
            {
                "name": one.name, "symbols": list(one.symbols),
                "unwatched": [s for s in one.symbols if s not in watched],
            }
            for one in lists
        ],
        "symbols": list(symbols),
    }  # fmt: skip


class Watchlists(Desk):
    """Show `watchlists_state`; asks `read`, `change` {name, add, remove}, `delete` {name}."""

    _esm = desk_module("watchlists")
