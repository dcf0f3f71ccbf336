"""Lists of symbols under a name."""

import asyncio

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.api.symbols import read_symbols
from app.auth.roles import Role
from opportunity.contracts.paths import NamePath
from opportunity.contracts.watchlists import (
    WatchlistBody,
    WatchlistDeleted,
    WatchlistItem,
    WatchlistsAnswer,
    WatchlistSaved,
)
from opportunity.market.symbols import compact
from opportunity.storage.watchlists import Watchlist


class WatchlistsHandler(BaseHandler):
    """All lists."""

    @operation(Role.VIEWER, answer=WatchlistsAnswer)
    async def get(self) -> None:
        """Return the lists by name."""
        found = await asyncio.to_thread(self.services.watchlists.read)
        watched = set(self.services.symbols)
        self.send(WatchlistsAnswer(watchlists=[_item(kept, watched) for kept in found]))


class WatchlistHandler(BaseHandler):
    """One list."""

    @operation(Role.TRADER, answer=WatchlistSaved, path=NamePath, body=WatchlistBody)
    async def put(self, name: str) -> None:
        """Save or replace it; symbols that are not watched now are kept, and named."""
        name = self.places(NamePath).name
        symbols = tuple(read_symbols(self.body(WatchlistBody).symbols, "symbols"))
        try:
            kept = await asyncio.to_thread(self.services.watchlists.write, name, symbols)
        except ValueError as error:
            raise invalid("name", str(error)) from error
        self.send(WatchlistSaved(watchlist=_item(kept, set(self.services.symbols))))

    @operation(Role.TRADER, answer=WatchlistDeleted, path=NamePath)
    async def delete(self, name: str) -> None:
        """Delete it."""
        name = self.places(NamePath).name
        try:
            await asyncio.to_thread(self.services.watchlists.delete, name)
        except KeyError as error:
            raise ApiError(
                404, "unknown_watchlist", f"There is no watchlist {name!r}.", "name"
            ) from error
        self.send(WatchlistDeleted(message=f"Watchlist {name!r} deleted"))


def _item(kept: Watchlist, watched: set[str]) -> WatchlistItem:
    return WatchlistItem(
        name=kept.name, symbols=list(kept.symbols), ids=[compact(s) for s in kept.symbols],
        unwatched=[s for s in kept.symbols if s not in watched], updated_at=kept.updated_at,
    )  # fmt: skip


routes = [
    ("/api/watchlists", WatchlistsHandler),
    ("/api/watchlists/{name}", WatchlistHandler),
]
