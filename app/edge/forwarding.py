"""Headers on their way through an edge.

What belongs to one connection stays behind; who asked is told, and nobody outside can tell it
for us.
"""

import hmac
import ipaddress
from collections.abc import Iterable
from typing import Final

from tornado.httputil import HTTPHeaders, HTTPServerRequest

MARK: Final = "X-Opportunity-Edge"
"""Header that carries the secret of the processes of one server; it never leaves them."""

OF_ONE_CONNECTION: Final = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade", "expect",
})  # fmt: skip
TOLD_BY_PROXIES: Final = frozenset({
    "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port",
    "x-forwarded-server", "x-forwarded-prefix", "x-real-ip", "via", MARK.lower(),
})  # fmt: skip

Pairs = list[tuple[str, str]]


class Forwarding:
    """Makes the headers with which an edge asks the agent's process.

    Parameters
    ----------
    secret : str
        Shared by the processes of one server.
    trusted : iterable of str
        Addresses or networks of proxies in front, whose word about the caller is believed.
    """

    def __init__(self, secret: str, trusted: Iterable[str] = ()) -> None:
        self._secret = secret
        self._trusted = tuple(ipaddress.ip_network(one, strict=False) for one in trusted)

    @property
    def own(self) -> dict[str, str]:
        """Headers of what the edge asks for itself."""
        return {MARK: self._secret}

    def is_edge(self, request: HTTPServerRequest) -> bool:
        """Say whether a request comes from an edge of ours, on this host or another one."""
        mark = request.headers.get(MARK, "")
        return bool(self._secret) and hmac.compare_digest(mark.encode(), self._secret.encode())

    def believes(self, request: HTTPServerRequest) -> bool:
        """Say whether a request comes from an edge of ours, or a proxy that may name callers."""
        if self.is_edge(request):
            return True
        try:
            address = ipaddress.ip_address(peer_of(request))
        except ValueError:
            return False
        return any(address in network for network in self._trusted)

    def request(self, request: HTTPServerRequest) -> Pairs:
        """Return the headers of a request as the agent's process shall see them."""
        pairs = kept(request.headers, TOLD_BY_PROXIES)
        if self.is_edge(request) and "X-Forwarded-For" not in request.headers:
            return [*pairs, (MARK, self._secret)]  # it asks for itself, and is no caller
        believed = self.believes(request)
        before = request.headers.get("X-Forwarded-For", "") if believed else ""
        chain = ", ".join(part for part in (before.strip(), peer_of(request)) if part)
        told = request.headers.get("X-Forwarded-Proto", "").lower() if believed else ""
        protocol = told if told in ("http", "https") else str(request.protocol)
        return [
            *pairs, ("X-Forwarded-For", chain), ("X-Forwarded-Proto", protocol),
            (MARK, self._secret),
        ]  # fmt: skip


def peer_of(request: HTTPServerRequest) -> str:
    """Return the address at the other end of the connection, whatever its headers say."""
    return str(request.remote_ip).removeprefix("::ffff:")


def kept(headers: HTTPHeaders, without: frozenset[str] = frozenset()) -> Pairs:
    """Return headers without those that concern one connection only."""
    named = {
        part.strip().lower()
        for value in headers.get_list("Connection")
        for part in value.split(",")
    }
    gone = OF_ONE_CONNECTION | named | without
    return [(name, value) for name, value in headers.get_all() if name.lower() not in gone]


def kept_raw(headers: Iterable[tuple[bytes, bytes]]) -> HTTPHeaders:
    """Return the headers of an answer without those that concern one connection only."""
    found = HTTPHeaders()
    for name, value in headers:
        found.add(name.decode("latin-1"), value.decode("latin-1"))
    made = HTTPHeaders()
    for title, text in kept(found, frozenset({MARK.lower()})):
        made.add(title, text)
    return made
