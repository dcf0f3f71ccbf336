"""Who may talk to a server that asks for no login: programs on this machine and its own pages.

Bound to loopback, a request without a token has the role trader. Three checks keep strangers
out: an exact Host list (a web page that re-points its name at 127.0.0.1 still sends its own
name), no forwarding header (a proxy in front means that the caller is somewhere else), and
same-origin writes and WebSockets (a page of another site cannot press our buttons).
"""

import ipaddress
from typing import Any, Final

from tornado.httputil import HTTPServerRequest

from app.api.problems import ApiError

FORWARDING: Final = (
    "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip", "Via",
)  # fmt: skip
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def check_caller(request: HTTPServerRequest, writes: bool) -> None:
    """Refuse a request that does not come from this machine and from us.

    Parameters
    ----------
    request : HTTPServerRequest
        As Tornado read it; its connection's socket tells where it arrived.
    writes : bool
        Whether it may change something or opens a WebSocket.

    Raises
    ------
    ApiError
        403 with the code `not_loopback`, `proxied`, `wrong_host` or `cross_origin`.
    """
    address, port = _arrival(request)
    if not ipaddress.ip_address(address).is_loopback:
        raise ApiError(403, "not_loopback", "Without login only this machine may call.")
    for header in FORWARDING:
        if header in request.headers:
            raise ApiError(403, "proxied", f"Behind a proxy ({header}) a login is needed.")
    host = request.headers.get("Host", "").lower()
    if host not in allowed_hosts(address, port):
        raise ApiError(403, "wrong_host", "The Host header must name this server.")
    if writes:
        _check_origin(request, host)


def allowed_hosts(address: str, port: int) -> frozenset[str]:
    """Return the exact Host headers of a server on a loopback address."""
    numeric = f"[{address}]" if ":" in address else address
    names = {"localhost", "127.0.0.1", "[::1]", numeric}
    hosts = {f"{name}:{port}" for name in names}
    return frozenset(hosts | names if port == 80 else hosts)


def _arrival(request: HTTPServerRequest) -> tuple[str, int]:
    connection: Any = request.connection
    address, port = connection.stream.socket.getsockname()[:2]
    return str(address).removeprefix("::ffff:"), int(port)


def _check_origin(request: HTTPServerRequest, host: str) -> None:
    site = request.headers.get("Sec-Fetch-Site")
    if site not in (None, "same-origin", "none"):
        raise ApiError(403, "cross_origin", "Only this server's own pages may do this.")
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != f"{request.protocol}://{host}":
        raise ApiError(403, "cross_origin", "Only this server's own pages may do this.")
