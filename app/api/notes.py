"""What happened to single bars: corrections, refusals, confirmed gaps."""

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.symbols import read_symbol
from app.auth.roles import Role
from opportunity.contracts.notes import NoteItem, NotesQuery, NotesResponse
from opportunity.market.notes import BarNote


class NotesHandler(BaseHandler):
    """Notes that were kept, also those of symbols that are not watched any more."""

    @operation(Role.VIEWER, answer=NotesResponse, query=NotesQuery)
    async def get(self) -> None:
        """Return the newest notes, of one symbol or kind if asked."""
        asked, services = self.query(NotesQuery), self.services
        symbol = None if asked.symbol is None else read_symbol(asked.symbol, "symbol")
        page = await services.notes(symbol, asked.kind, asked.since, asked.limit, asked.after)
        self.send(
            NotesResponse(
                notes=[_item(note) for note in page.notes],
                next=page.after,
                source=services.source,
            )
        )


def _item(note: BarNote) -> NoteItem:
    return NoteItem(
        kind=note.kind,
        symbol=note.symbol,
        timeframe=note.timeframe,
        time=note.time,
        noted_at=note.at,
        before=None if note.before is None else list(note.before),
        after=None if note.after is None else list(note.after),
        change_bp=note.change_bp,
        revision=note.revision,
        text=note.text,
    )


routes = [("/api/data/notes", NotesHandler)]
