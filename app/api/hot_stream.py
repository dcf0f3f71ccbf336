"""Where hot answers leave: before the bytes of a request come to Tornado's parser.

`HotStream` is a connection that looks at what it has read. Bytes that came before, while nothing
else is under way on the connection, are answered on the spot and Tornado never sees them; all
others take Tornado's way, and `Front` notes what Tornado made of them. Only what subclasses of
`IOStream` are meant to define is defined here, and `_read_buffer_size` is looked at: without it
(another version) every request takes the long way, slower but right.
"""

from collections.abc import Awaitable
from typing import Any, Final

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

from app.api.hot import MAX_REQUEST, Hot, Known, Pending

LONG_WAY_S: Final = 60.0
"""So often at least a connection takes the long way, or Tornado would think it idle."""


class HotStream(IOStream):
    """A connection whose known requests are answered at once.

    Parameters
    ----------
    hot : Hot
        What is known.
    """

    def __init__(self, *args: Any, hot: Hot, **kwargs: Any) -> None:
        self._hot = hot
        self._between = False
        self._raw = b""
        self._pending: Pending | None = None
        self._asked: tuple[Known, HTTPServerRequest] | None = None
        self._connections: tuple[Any, Any] = (None, None)
        self._since = 0.0
        super().__init__(*args, **kwargs)

    # -- what Tornado does with the connection -----------------------------------------------

    def attach(self, server_connection: object, connection: HTTPConnection) -> None:
        """Note who reads the next request."""
        self._connections = (server_connection, connection)
        self._asked, self._since = None, self.io_loop.time()

    def note(self, start_line: RequestStartLine, headers: HTTPHeaders) -> None:
        """Note what Tornado made of the bytes that came last."""
        raw, self._raw = self._raw, b""
        if raw:
            self._pending = self._hot.begin(raw, start_line, headers)

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Wait for the head of the next request: now nothing else is under way."""
        self._between, self._raw, self._pending = True, b"", None
        return super().read_until_regex(regex, max_bytes)

    def write(self, data: bytes | memoryview) -> Any:
        """Send, and see what is answered to a request that may come again."""
        if self._pending is not None:
            self._hot.end(self._pending, bytes(data))
            self._pending = None
        return super().write(data)

    # -- what comes in -------------------------------------------------------------------------

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read what is there; what is answered at once was never there."""
        size = super().read_from_fd(buf)
        if not self._between or not size:
            return size
        if size <= MAX_REQUEST and not _waits(self):
            raw = bytes(memoryview(buf)[:size])
            if self._answered(raw):
                return None
            self._raw = raw
        self._between = False
        return size

    def _answered(self, raw: bytes) -> bool:
        found = self._hot.find(raw)
        if found is None or self.writing():
            return False
        if self.io_loop.time() - self._since > LONG_WAY_S:
            return False
        data = self._hot.answer(*found, self._request(found[0]))
        if data is None:
            return False
        super().write(data)
        return True

    def _request(self, known: Known) -> HTTPServerRequest:
        if self._asked is None or self._asked[0] is not known:
            server_connection, connection = self._connections
            self._asked = known, HTTPServerRequest(
                connection=connection, server_connection=server_connection,
                start_line=known.start_line, headers=known.headers,
            )  # fmt: skip
        return self._asked[1]


def _waits(stream: IOStream) -> bool:
    """Tell whether bytes are read that nobody has taken yet; without knowing, say so."""
    return bool(getattr(stream, "_read_buffer_size", 1))


class Front(HTTPServerConnectionDelegate):
    """Passes every request on, and notes on its connection what Tornado made of it."""

    def __init__(self, behind: HTTPServerConnectionDelegate) -> None:
        self._behind = behind

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Begin to read a request."""
        delegate = self._behind.start_request(server_conn, request_conn)
        stream = getattr(request_conn, "stream", None)
        if not isinstance(stream, HotStream):
            return delegate
        stream.attach(server_conn, request_conn)
        return _Noted(delegate, stream)

    def on_close(self, server_conn: object) -> None:
        """Pass on that a connection is closed."""
        self._behind.on_close(server_conn)


class _Noted(HTTPMessageDelegate):
    def __init__(self, delegate: HTTPMessageDelegate, stream: HotStream) -> None:
        self._delegate, self._stream = delegate, stream
        self.data_received = delegate.data_received  # type: ignore[method-assign]  # passed on
        self.finish = delegate.finish  # type: ignore[method-assign]  # as above
        self.on_connection_close = delegate.on_connection_close  # type: ignore[method-assign]  # as above

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        if isinstance(start_line, RequestStartLine):
            self._stream.note(start_line, headers)
        return self._delegate.headers_received(start_line, headers)


def put_before(server: HTTPServer, hot: Hot) -> None:
    """Let known requests of a server be answered at once; call before it starts."""
    serve = server.handle_stream
    behind = server.request_callback
    if not isinstance(behind, HTTPServerConnectionDelegate):
        raise TypeError(f"server must pass requests to a router, was {behind!r}")
    server.request_callback = Front(behind)

    def handle_stream(stream: IOStream, address: Any) -> Any:
        if type(stream) is not IOStream:  # TLS: all the way
            return serve(stream, address)
        made = HotStream(
            stream.socket, hot=hot, max_buffer_size=stream.max_buffer_size,
            read_chunk_size=stream.read_chunk_size,
        )  # fmt: skip
        return serve(made, address)

    server.handle_stream = handle_stream  # type: ignore[method-assign]  # its own connections
