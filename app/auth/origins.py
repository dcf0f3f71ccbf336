"""Where a request comes from: which machine, through which proxy, by a page of which site.

All three are judged by exact sets. A Host that is not ours is refused, so a name that is
re-pointed at this machine reaches nothing; forwarding headers count only from proxies that the
settings name; and what a browser writes must come from a page of ours.
"""

import ipaddress
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from app.api.problems import ApiError
from opportunity.config import Settings, SettingsError

FORWARDING: Final = (
    "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip", "Via",
)  # fmt: skip
EDGE: Final = "X-Opportunity-Edge"
"""Header by which a process that serves clients for this one shows that it belongs to it."""

OWN_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
_PLAIN_PORTS: Final = {"http": 80, "https": 443}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came in.

    Parameters
    ----------
    address : str
        Of the caller, the last one that is known for sure.
    scheme : str
        That the caller used, ``http`` or ``https``.
    host : str
        Lower-case Host header.
    loopback : bool
        Whether it came in on a loopback address and nobody passed it on.
    proxied : bool
        Whether a proxy that we trust passed it on.
    """

    address: str
    scheme: str
    host: str
    loopback: bool
    proxied: bool


class Origins:
    """The exact sets of proxies, hosts and origins of one server.

    Parameters
    ----------
    settings : Settings
    edge_secret : str, optional
        What other processes of this server send in the header `EDGE`; they count as proxies.

    Raises
    ------
    SettingsError
        If an origin is not scheme://host[:port], or a proxy is no address.
    """

    def __init__(self, settings: Settings, edge_secret: str = "") -> None:
        self.extra = frozenset(read_origin(text) for text in settings.origins)
        self._hosts = frozenset(urlsplit(origin).netloc for origin in self.extra)
        self._proxies = tuple(_network(text) for text in settings.trusted_proxies)
        self._edge = edge_secret.encode()

    def arrival(self, request: HTTPServerRequest) -> Arrival:
        """Return how a request came in.

        Raises
        ------
        ApiError
            403 with the code `wrong_host` when its Host is not one of ours.
        """
        own, port = _socket(request)
        peer = str(request.remote_ip or "")
        proxied = self._trusts(request, peer)
        address, scheme = peer, request.protocol
        if proxied:
            address = self._forwarded_for(request.headers, peer)
            scheme = _forwarded_proto(request.headers) or scheme
        host = request.headers.get("Host", "").lower()
        if host not in own_hosts(own, port, request.protocol) and host not in self._hosts:
            raise ApiError(403, "wrong_host", "The Host header must name this server.")
        loopback = _is_loopback(own) and not is_forwarded(request)
        return Arrival(address, scheme, host, loopback, proxied)

    def check_origin(
        self, request: HTTPServerRequest, arrival: Arrival, strictly: bool
    ) -> None:
        """Refuse what a page of another site sends.

        Parameters
        ----------
        request : HTTPServerRequest
        arrival : Arrival
        strictly : bool
            Refuse also what does not say where it comes from: for cookies, which browsers send
            along whoever asks.

        Raises
        ------
        ApiError
            403 with the code `cross_origin`.
        """
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if origin is not None:
            known = origin.lower() in self.extra or origin == f"{arrival.scheme}://{arrival.host}"
        else:
            known = site == "same-origin" or not strictly
        if not known or (site not in (None, "same-origin", "none")):
            raise ApiError(403, "cross_origin", "Only this server's own pages may do this.")

    def websocket_hosts(self, host: str, port: int) -> frozenset[str]:
        """Return what Bokeh's own check of origins is given: the same hosts, exactly."""
        numeric = host if host not in ("", "0.0.0.0", "::") else "127.0.0.1"
        return own_hosts(numeric, port, "http") | self._hosts

    # -- proxies ---------------------------------------------------------------------------------

    def is_edge(self, request: HTTPServerRequest) -> bool:
        """Say whether another process of this server sends it, for itself or for a caller."""
        shown = request.headers.get(EDGE, "")
        return bool(self._edge) and secrets.compare_digest(shown.encode(), self._edge)

    def _trusts(self, request: HTTPServerRequest, peer: str) -> bool:
        if self._edge and EDGE in request.headers:
            return self.is_edge(request)
        return self._is_proxy(peer)

    def _is_proxy(self, address: str) -> bool:
        if not self._proxies:
            return False
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self._proxies)

    def _forwarded_for(self, headers: Any, peer: str) -> str:
        """Return the nearest address that is not one of our proxies."""
        hops = [hop.strip() for hop in headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        nearest = peer
        for hop in reversed(hops[-16:]):
            parsed = _address(hop)
            if parsed is None:
                break
            nearest = str(parsed)
            if not self._is_proxy(nearest):
                break
        return nearest


def is_forwarded(request: HTTPServerRequest) -> str:
    """Return the name of a header that says the request was passed on; '' without."""
    return next((name for name in FORWARDING if name in request.headers), "")


def read_origin(text: str) -> str:
    """Return an origin as browsers send it, e.g. ``https://desk.example.org``.

    Raises
    ------
    SettingsError
        If it is anything else, such as ``*`` or an address with a path.
    """
    try:
        parts = urlsplit(text.strip().lower())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in _PLAIN_PORTS or not host or "*" in host or rest:
        raise SettingsError(
            f"origins must be such as https://desk.example.org, was {text[:100]!r}"
        )
    name = f"[{host}]" if ":" in host else host
    plain = port in (None, _PLAIN_PORTS[parts.scheme])
    return f"{parts.scheme}://{name}" if plain else f"{parts.scheme}://{name}:{port}"


@lru_cache(maxsize=64)
def own_hosts(address: str, port: int, scheme: str = "http") -> frozenset[str]:
    """Return the exact Host headers of a server on an address: its number and loopback's names."""
    numeric = f"[{address}]" if ":" in address else address
    names = {*OWN_NAMES, numeric} if _is_loopback(address) else {numeric}
    hosts = {f"{name}:{port}" for name in names}
    return frozenset(hosts | names if port == _PLAIN_PORTS[scheme] else hosts)


def _socket(request: HTTPServerRequest) -> tuple[str, int]:
    connection: Any = request.connection
    socket = connection.stream.socket
    if socket is None:  # what was read of it before is still worked through
        raise ApiError(400, "gone", "The caller has hung up.")
    address, port = socket.getsockname()[:2]
    return str(address).removeprefix("::ffff:"), int(port)


@lru_cache(maxsize=64)
def _is_loopback(address: str) -> bool:
    parsed = _address(address)
    return parsed is not None and parsed.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return mapped or parsed


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise SettingsError(
            f"trusted_proxies must be addresses such as 10.0.0.1, was {text[:60]!r}"
        ) from None


def _forwarded_proto(headers: Any) -> str:
    last = str(headers.get("X-Forwarded-Proto", "")).rpartition(",")[2].strip().lower()
    return last if last in _PLAIN_PORTS else ""
