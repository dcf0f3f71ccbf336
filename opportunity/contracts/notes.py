"""Wire models of what happened to single bars: corrected, refused, confirmed empty, late."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Number, Query, SymbolText

MOST_NOTES = 1_000

NoteKindName = Literal["rest", "corrected", "refused", "empty", "spike", "late"]
"""A test holds this equal to `market.notes.NoteKind`, which lies in a higher room."""


class NotesQuery(Query):
    """Which notes, and how many."""

    symbol: SymbolText | None = None
    kind: NoteKindName | None = None
    since: int = Field(0, ge=0, lt=2**53, description="noted at this time or later, ms UTC")
    limit: int = Field(100, ge=1, le=MOST_NOTES)
    after: int | None = Field(
        None, ge=0, lt=2**53, description="`next` of the page before this one"
    )


class NoteItem(Answer):
    """A fact about one bar."""

    kind: NoteKindName
    symbol: str
    timeframe: str
    time: int = Field(description="opening time of the bar, ms UTC; 0 where it is not known")
    noted_at: int = Field(description="ms UTC of the market")
    before: list[Number] | None = Field(description="open, high, low, close, volume as first taken")
    after: list[Number] | None = Field(description="the same as they are now")
    change_bp: float = Field(description="largest change of a price, basis points")
    revision: int = Field(description="how often the bar was changed after it was final")
    text: str = Field(description="reason, or the refused row as it came: never markup")


class NotesResponse(Answer):
    """Notes, newest first."""

    notes: list[NoteItem]
    next: int | None = Field(description="`after` of the next page; null: these are the last")
    source: str
