"""REST over HTTP, with whatever goes wrong on the way."""

import asyncio

from tornado.web import RequestHandler

from app.exchange import call_faults as calls
from app.exchange import wire
from app.exchange.core import Core
from app.exchange.endpoints import ENDPOINTS, RefusedError

PAGE = b"<!DOCTYPE html><html><head><title>502</title></head><body>Bad Gateway</body></html>"
"""What stands in front of an exchange answers in HTML."""

_JSON = "application/json;charset=UTF-8"


class Call(RequestHandler):
    """A call of one of `ENDPOINTS`."""

    def initialize(self, core: Core) -> None:
        """Take the exchange."""
        self.core = core

    def set_default_headers(self) -> None:
        """Say nothing about what serves."""
        self.clear_header("Server")
        self.set_header("Content-Type", _JSON)

    async def get(self) -> None:
        """Answer, or do one of the things that exchanges do instead."""
        core, path = self.core, self.request.path
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        ban = core.faults.banned()
        if ban is not None:
            return self._limited(ban)
        if core.faults.maintained(path):
            return self._page(503)
        row = core.rows.get(query.get("symbol", ""))
        symbol = None if row is None else core.market.symbols[row]
        struck = core.faults.struck(path, symbol)
        for slow in (f for f in struck if isinstance(f, calls.SlowAnswer)):
            await asyncio.sleep(slow.delay_s)
        for fault in struck:
            if self._instead(fault):
                return None
        try:
            body = ENDPOINTS[path](core, query, core.advance())
        except RefusedError as refused:
            self.set_status(refused.status)
            body = wire.error(refused.code, refused.message)
        for fault in struck:
            if isinstance(fault, calls.TruncatedJson):
                body = body[: max(1, int(len(body) * fault.keep))]
            elif isinstance(fault, calls.ShortBody):
                return self._short(body, fault.keep)
        self.finish(body)
        return None

    def _instead(self, fault: calls.CallFault) -> bool:
        """Give the answer of a fault that replaces the real one; tell whether there was one."""
        if isinstance(fault, calls.RateLimit):
            self._limited(fault)
        elif isinstance(fault, calls.ServerError):
            self.set_status(fault.status)
            if fault.body == "html":
                self._page(fault.status)
            else:
                code = wire.error(-1000, "An unknown error occurred while processing the request.")
                self.finish(code if fault.body == "json" else b"")
        elif isinstance(fault, calls.HtmlBody):
            self._page(fault.status)
        elif isinstance(fault, calls.EmptyBody):
            self.finish(b"")
        elif isinstance(fault, calls.Refuse):
            self._cut()
        else:
            return False
        return True

    def _limited(self, fault: calls.RateLimit) -> None:
        self.set_status(fault.status, "Too Many Requests" if fault.status == 429 else "Banned")
        if fault.retry_after_s is not None:
            self.set_header("Retry-After", str(fault.retry_after_s))
        self.finish(
            wire.error(
                -1003, "Too much request weight used; please use the websocket for live updates."
            )
        )

    def _page(self, status: int) -> None:
        self.set_status(status, "Unavailable")
        self.set_header("Content-Type", "text/html")
        self.finish(PAGE)

    def _cut(self) -> None:
        stream = self.detach()
        stream.close()

    def _short(self, body: bytes, keep: float) -> None:
        stream = self.detach()
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {_JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        sent = stream.write(head + body[: int(len(body) * keep)])
        sent.add_done_callback(lambda _: stream.close())

    def on_connection_close(self) -> None:
        """Do nothing: a client that has gone needs no answer."""


class Nothing(RequestHandler):
    """Any other path."""

    def initialize(self, core: Core) -> None:
        """Take the exchange."""
        self.core = core

    def prepare(self) -> None:
        """Answer as Binance does, and count the call."""
        ban = self.core.faults.banned()
        self.set_status(404 if ban is None else ban.status)
        self.set_header("Content-Type", "text/html")
        self.finish(b"<html><body><h2>404 Not found</h2></body></html>")
