"""Wire models of watchlists, and of the symbols that are watched."""

from typing import Final, Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Body, Number, Query, SymbolText

MOST_SYMBOLS: Final = 500
MOST_WATCHED: Final = 2_000


class WatchlistBody(Body):
    """The symbols of a list, in the order in which they are shown."""

    symbols: list[SymbolText] = Field(max_length=MOST_SYMBOLS)


class WatchlistItem(Answer):
    """A list."""

    name: str
    symbols: list[str]
    ids: list[str]
    unwatched: list[str] = Field(description="those that this server does not watch now")
    updated_at: int = Field(description="wall time, ms UTC")


class WatchlistsAnswer(Answer):
    """All lists by name."""

    watchlists: list[WatchlistItem]


class WatchlistSaved(Answer):
    """A list was created or replaced."""

    status: Literal["success"] = "success"
    watchlist: WatchlistItem


class WatchlistDeleted(Answer):
    """A list is gone."""

    status: Literal["success"] = "success"
    message: str


class UniverseQuery(Query):
    """A choice to look at; what is not given is as it is in force."""

    quote: str | None = Field(None, pattern=r"^[A-Za-z0-9]{1,20}$")
    top: int | None = Field(None, ge=1, le=MOST_WATCHED)
    sort: Literal["volume", "name"] = "volume"


class UniverseBody(Body):
    """A choice to keep: the largest `top` of a quote currency, or named symbols."""

    quote: str | None = Field(None, pattern=r"^[A-Za-z0-9]{1,20}$")
    top: int | None = Field(None, ge=1, le=MOST_WATCHED)
    symbols: list[SymbolText] | None = Field(None, max_length=MOST_WATCHED)
    why: str = Field("", max_length=200)


class UniverseLine(Answer):
    """A symbol; what is not known of it is null."""

    symbol: str
    id: str
    price: Number
    change_24h: Number
    volume_24h: Number = Field(description="traded value of 24 hours, quote currency")


class UniverseChoice(Answer):
    """What is chosen; null and empty: as the settings say."""

    quote: str | None
    top: int | None
    symbols: list[str]


class UniverseOutcome(Answer):
    """What a choice gives."""

    symbols: list[UniverseLine]
    added: list[str]
    removed: list[str]
    held: list[str] = Field(description="in it only because a position is open")
    applies: Literal["restart", "overruled"] = Field(
        description="overruled: flags or the environment name symbols or top"
    )
    note: str


class UniverseAnswer(Answer):
    """What is watched now, what is chosen, and what it would give."""

    watched: list[UniverseLine]
    chosen: UniverseChoice | None = Field(description="what was stored; null: nothing")
    would: UniverseOutcome
    source: str
