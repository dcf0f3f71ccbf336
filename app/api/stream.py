"""The stream by REST: events that were missed, and what other processes of this server ask."""

from typing import Any, Final

from app.api.base import BaseHandler, Checked
from app.api.broadcast import Realtime
from app.api.operations import operation
from app.api.problems import ApiError
from app.auth.roles import Caller, Role
from app.edge.relay import Relay
from opportunity.contracts.stream import (
    StreamCaller,
    StreamChanges,
    StreamChangesQuery,
    StreamEnded,
    StreamEvents,
    StreamEventsQuery,
    StreamHeldBody,
)

OURS_ONLY: Final = "Only processes of this server may ask for this."


class StreamEventsHandler(BaseHandler):
    """Events that travel on the stream."""

    @operation(Role.VIEWER, answer=StreamEvents, query=StreamEventsQuery)
    async def get(self) -> None:
        """Return the events of a channel after a number, as the stream sends them."""
        asked = self.query(StreamEventsQuery)
        source = Realtime.of(self.application, self.services).source
        found = await source.missed(asked.channel, asked.after)
        self.send(StreamEvents(
            epoch=source.epoch, channel=asked.channel, after=asked.after,
            head=source.seqs().get(asked.channel, 0), complete=found is not None,
            events=[dict(message.fields) for message in found or ()],
        ))  # fmt: skip


class StreamChangesHandler(BaseHandler):
    """What a process that passes the stream on has not heard yet."""

    @operation(Role.VIEWER, answer=StreamChanges, query=StreamChangesQuery)
    async def get(self) -> None:
        """Return the states that have changed since a cursor, and the facts; for edges."""
        asked = self.query(StreamChangesQuery)
        if self.caller.how != "edge":
            raise ApiError(403, "edge_only", OURS_ONLY)
        relay = Relay.of(self.application, self.services)
        relay.note(asked.edge, asked.connections)
        self.send(relay.changes(asked.run, asked.cursor))


class StreamCallerHandler(BaseHandler):
    """Who asks for a connection."""

    opens_stream = True  # judged as the handshake is that another process asks about

    @operation(Role.VIEWER, answer=StreamCaller)
    async def get(self) -> None:
        """Return who a handshake comes from that another process has taken; for edges."""
        if not self.gate.origins.is_edge(self.request) or self.caller.how == "edge":
            raise ApiError(403, "edge_only", OURS_ONLY)
        self.send(StreamCaller.model_validate({
            "name": self.caller.name, "role": self.caller.role.label, "how": self.caller.how,
            "expires": self.caller.expires, "token": self.caller.token,
            "address": self.gate.origins.arrival(self.request).address,
        }))  # fmt: skip


class StreamHeldHandler(BaseHandler):
    """Whether those whose connections another process holds may still do what they might."""

    @operation(Role.VIEWER, answer=StreamEnded, body=StreamHeldBody)
    async def post(self) -> None:
        """Return the callers whose login has ended or who have another role now; for edges."""
        asked = self.body(StreamHeldBody)
        if self.caller.how != "edge":
            raise ApiError(403, "edge_only", OURS_ONLY)
        accounts: Any = getattr(self.services, "accounts", None)
        ended = []
        for one in asked.callers:
            was = Caller(one.name, Role[one.role.upper()], "bearer", None, one.token)
            if accounts is not None and accounts.still(was) != was:
                ended.append(one.token)
        self.send(StreamEnded(ended=ended))


routes: list[tuple[str, type[Checked]]] = [
    ("/api/stream/events", StreamEventsHandler),
    ("/api/stream/changes", StreamChangesHandler),
    ("/api/stream/caller", StreamCallerHandler),
    ("/api/stream/held", StreamHeldHandler),
]
