"""Where a server is: one address, its REST and its stream."""

from typing import NamedTuple
from urllib.parse import urlsplit


class Address(NamedTuple):
    """Roots of a server, without a slash at the end."""

    http: str
    stream: str


def read_address(url: str) -> Address:
    """Read an address such as ``http://127.0.0.1:8000`` or ``https://host/prefix``.

    Raises
    ------
    ValueError
        If it is no http address, or holds a user, a password, a query or a fragment: a token is
        given beside it, never in it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("url must be an address such as http://127.0.0.1:8000") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("url must be an address such as http://127.0.0.1:8000")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("url must hold no user, password, query or fragment: give `token` instead")
    root = f"{parts.netloc}{parts.path.rstrip('/')}"
    scheme = "wss" if parts.scheme == "https" else "ws"
    return Address(f"{parts.scheme}://{root}", f"{scheme}://{root}/ws/realtime")
