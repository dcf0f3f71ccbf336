"""`/ws/realtime`: the handshake and the life of a connection.

What a client may say is in `conversation`, what is sent to whom in `broadcast`.
"""

import random
import socket
from collections.abc import Awaitable
from typing import Any, ClassVar, Final

import structlog
from tornado.websocket import WebSocketHandler, WebSocketProtocol, _WebSocketParams

from app.api.base import Checked
from app.api.broadcast import Realtime
from app.api.conversation import SLOW, Conversation
from app.api.framing import StrictProtocol, is_key
from app.api.operations import operation
from app.api.outlet import Outlet
from app.api.problems import ApiError
from app.auth.credentials import answered_protocol
from app.auth.roles import Role

logger = structlog.get_logger(__name__)

RETRY_S: Final = (1, 5)
"""Bounds of the wait where there is no room, seconds: not all shall come back at once."""


class RealtimeHandler(Checked, WebSocketHandler):
    """The stream: signals, prices, the ranking, status and configuration changes.

    A connection gets `status` first. Until it subscribes to something it follows the default
    stream: the signals of the symbols that `POST /api/agent/subscribe` named.
    """

    opens_stream: ClassVar[bool] = True

    def prepare(self) -> None:
        """Refuse strangers."""
        super().prepare()
        self.realtime = Realtime.of(self.application, self.services)

    @operation(Role.VIEWER, status=101, problems=(405, 426))
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Upgrade to a WebSocket; anything else gets 426 or 400, and 503 when there is no room."""
        headers = self.request.headers
        if headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError(
                426, "upgrade", "This resource speaks WebSocket only.",
                headers={"Upgrade": "websocket"},
            )  # fmt: skip
        connection = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
        if "upgrade" not in connection or not is_key(
            headers.get("Sec-WebSocket-Key", "")
        ):
            raise ApiError(400, "handshake", "The WebSocket handshake is not complete.")
        if headers.get("Sec-WebSocket-Version") != "13":
            raise ApiError(
                426, "upgrade", "The WebSocket version must be 13.",
                headers={"Sec-WebSocket-Version": "13"},
            )  # fmt: skip
        self._find_room()
        await super().get(*args, **kwargs)

    def _find_room(self) -> None:
        # Last before the upgrade: nothing is awaited between this and `open`, which counts.
        self._address = self.whence()
        refusal = self.realtime.refusal(self.caller, self._address)
        if refusal:
            wait = random.randint(*RETRY_S)
            raise ApiError(
                503, "connections", refusal,
                headers={"Retry-After": str(wait)}, retry_after_s=wait,
            )  # fmt: skip

    def whence(self) -> str:
        """Return the address of the caller; '' for this machine."""
        arrival = self.gate.origins.arrival(self.request)
        return "" if arrival.loopback else arrival.address

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Answer the subprotocol that a credential came with; browsers insist on one."""
        return answered_protocol(subprotocols)

    @property
    def ping_interval(self) -> float:
        """Seconds between our pings."""
        return self.realtime.limits.ping_s

    @property
    def ping_timeout(self) -> float:
        """Seconds to wait for the pong before the connection is dropped."""
        return self.realtime.limits.ping_s

    @property
    def max_message_size(self) -> int:
        """Largest message from a client, bytes."""
        return self.realtime.limits.max_message

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """Read frames as strictly as the RFC, and never compressed: a bomb is small before.

        `get` has checked the version.
        """
        params = _WebSocketParams(
            ping_interval=self.ping_interval, ping_timeout=self.ping_timeout,
            max_message_size=self.max_message_size,
        )  # fmt: skip
        return StrictProtocol(self, False, params)

    def check_origin(self, origin: str) -> bool:
        """Leave it to the gate, which knows proxies and the origins of the settings."""
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin the conversation."""
        limits = self.realtime.limits
        self.set_nodelay(True)
        connection: Any = self.ws_connection
        # A bounded kernel buffer, so that a client that does not read is noticed by its bytes.
        connection.stream.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer
        )
        outlet = Outlet(connection.stream, self.realtime.now, limits.max_waiting, self._slow)
        self.conversation = Conversation(
            self.realtime, outlet, self.close, self.caller, self._address
        )

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Pass a client message on; the next one waits until it is carried out."""
        return self.conversation.hear(message)

    def beat(self) -> bool:
        """Count a ping or pong of the client, which are messages like others."""
        return self.conversation.beat()

    def on_close(self) -> None:
        """End the conversation, if the handshake came that far."""
        if hasattr(self, "conversation"):
            self.conversation.end()

    def _slow(self) -> None:
        self.realtime.slow += 1
        logger.info("client too slow", request_id=self.request_id)
        self.close(SLOW, "too slow")


routes = [("/ws/realtime", RealtimeHandler)]
