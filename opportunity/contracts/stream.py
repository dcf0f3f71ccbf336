"""Wire models of `/api/stream`: events of the stream by REST, and what other processes need."""

from typing import Any, Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Body, Query
from opportunity.contracts.realtime import Channel

EventChannel = Literal["config", "trade", "alert"]


class StreamEventsQuery(Query):
    """Which events."""

    channel: EventChannel
    after: int = Field(0, ge=0, le=2**53, description="number of the newest one that is known")


class StreamEvents(Answer):
    """Events of a channel, as the stream sends them."""

    epoch: str = Field(description="of the numbers")
    channel: EventChannel
    after: int
    head: int = Field(description="number of the newest event")
    complete: bool = Field(description="false: some cannot be had any more, and none is listed")
    events: list[dict[str, Any]] = Field(description="in the order of their numbers, no hole")


class StreamChangesQuery(Query):
    """From where on."""

    run: str = Field("", max_length=40, description="of the answer before")
    cursor: int = Field(0, ge=0, le=2**53, description="of the answer before")
    edge: str = Field("", max_length=40, description="name of who asks")
    connections: int = Field(0, ge=0, le=2**31, description="that it holds now")


class StreamFacts(Answer):
    """What a process that passes the stream on must know besides its messages."""

    epoch: str
    seqs: dict[EventChannel, int] = Field(description="number of the newest event, by channel")
    symbols: list[str]
    subscribed: list[str]
    enabled: bool
    n_revoked: int = Field(description="logins and tokens that have ended since the start")
    revoked: list[str] = Field(description="the newest of them")
    run: str = Field(description="changes when the agent's process starts anew")


class StreamState(Answer):
    """A state as the stream sends it."""

    channel: Channel
    key: str
    seq: int
    data: dict[str, Any]


class StreamChanges(Answer):
    """The states that have changed since."""

    cursor: int
    facts: StreamFacts
    states: list[StreamState]


class StreamCaller(Answer):
    """Who asks for a connection to the stream."""

    name: str
    role: Literal["viewer", "trader", "admin"]
    how: str
    expires: int | None = Field(description="wall time in ms UTC; null: never")
    token: str = Field(description="id of the token or login")
    address: str


class StreamHeld(Body):
    """A connection that another process holds."""

    name: str = Field(max_length=200)
    role: Literal["viewer", "trader", "admin"]
    token: str = Field(max_length=200)


class StreamHeldBody(Body):
    """Callers whose connections are open elsewhere."""

    callers: list[StreamHeld] = Field(max_length=5_000)


class StreamEnded(Answer):
    """Which of them are not what they were."""

    ended: list[str] = Field(description="ids of tokens and logins")
