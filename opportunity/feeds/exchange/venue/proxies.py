"""The proxy that the environment names for an address, as most programs read it."""

from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_OF_STREAMS: Final = {"ws": "http", "wss": "https"}
_KNOWN: Final = ("http", "https")


def proxy_for(url: str) -> str | None:
    """Return the proxy that an address is reached through, None for the straight way.

    ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` count, WebSockets as the kind
    of address that they begin as. Proxies that speak another protocol than HTTP are passed over.

    Parameters
    ----------
    url : str
        Of a request or of a dial.
    """
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    told = getproxies()
    proxy = told.get(_OF_STREAMS.get(parts.scheme, parts.scheme)) or told.get("all") or ""
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return proxy if urlsplit(proxy).scheme in _KNOWN else None
