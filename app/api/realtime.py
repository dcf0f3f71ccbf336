"""`/ws/realtime`: the handshake and the life of a connection.

What a client may say is in `conversation`, what is sent to whom in `broadcast`.
"""

import socket
from typing import Any, ClassVar, Final

import structlog
from tornado.websocket import WebSocketHandler

from app.api.base import Checked
from app.api.broadcast import Realtime
from app.api.conversation import Conversation
from app.api.operations import operation
from app.api.outlet import Outlet
from app.api.problems import ApiError
from app.auth.roles import Role

logger = structlog.get_logger(__name__)

SLOW: Final = 4010
RETRY_S: Final = 5


class RealtimeHandler(Checked, WebSocketHandler):
    """The stream: signals, prices, the ranking, status and configuration changes.

    A connection gets `status` first. Until it subscribes to something it follows the default
    stream: the signals of the symbols that `POST /api/agent/subscribe` named.
    """

    opens_stream: ClassVar[bool] = True

    def prepare(self) -> None:
        """Refuse strangers, and everybody when the server is full, before the upgrade."""
        super().prepare()
        self.realtime = Realtime.of(self.application, self.services)
        if self.realtime.full or self.realtime.closing:
            raise ApiError(
                503, "connections", "The server takes no more connections now.",
                headers={"Retry-After": str(RETRY_S)}, retry_after_s=RETRY_S,
            )  # fmt: skip

    @operation(Role.VIEWER, status=101)
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Upgrade to a WebSocket; anything else gets 426 or 400."""
        headers = self.request.headers
        if headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError(
                426, "upgrade", "This resource speaks WebSocket only.",
                headers={"Upgrade": "websocket"},
            )  # fmt: skip
        connection = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
        if "upgrade" not in connection or not headers.get("Sec-WebSocket-Key"):
            raise ApiError(400, "handshake", "The WebSocket handshake is not complete.")
        if headers.get("Sec-WebSocket-Version") != "13":
            raise ApiError(
                426, "upgrade", "The WebSocket version must be 13.",
                headers={"Sec-WebSocket-Version": "13"},
            )  # fmt: skip
        await super().get(*args, **kwargs)

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

    def get_compression_options(self) -> None:
        """Never compress: frames are shared, and a small bomb unpacks to a large one."""
        return None

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
        self.conversation = Conversation(self.realtime, outlet, self.close)

    def on_message(self, message: str | bytes) -> None:
        """Pass a client message on."""
        self.conversation.hear(message)

    def on_close(self) -> None:
        """End the conversation, if the handshake came that far."""
        if hasattr(self, "conversation"):
            self.conversation.end()

    def _slow(self) -> None:
        self.realtime.slow += 1
        logger.info("client too slow", request_id=self.request_id)
        self.close(SLOW, "too slow")


routes = [("/ws/realtime", RealtimeHandler)]
