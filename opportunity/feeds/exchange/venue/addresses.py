"""Turns all addresses of one of ccxt's objects to another host, e.g. a local exchange."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_STREAM: Final = "/stream/ws"
"""ccxt tells Binance's spot stream from its others by this part of the address."""


def point_at(client: Any, url: str) -> None:
    """Turn all addresses of a client to `url`.

    Raises
    ------
    ValueError
        If `url` is no plain http address, or an address is left that points elsewhere.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise ValueError(f"url must be http://host:port, was {url!r}")
    api = client.urls["api"]
    turned = _turned(api if isinstance(api, dict) else {"rest": api}, parts.scheme, parts.netloc)
    streams = turned.get("ws")
    if client.id.startswith("binance") and isinstance(streams, dict):
        for kind in ("spot", "margin"):
            base = "wss" if parts.scheme == "https" else "ws"
            streams[kind] = f"{base}://{parts.netloc}{_STREAM}"
    client.urls = {"api": turned if isinstance(api, dict) else turned["rest"]}
    for leaf in _leaves(client.urls["api"]):
        if urlsplit(leaf).netloc != parts.netloc:
            raise ValueError(f"all addresses must point at {parts.netloc}, one was {leaf!r}")


def _turned(tree: Mapping[str, Any], scheme: str, host: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, leaf in tree.items():
        if isinstance(leaf, Mapping):
            found[key] = _turned(leaf, scheme, host)
        elif isinstance(leaf, str):
            parts = urlsplit(leaf)
            base = "ws" if parts.scheme.startswith("ws") else "http"
            found[key] = f"{base}{'s' if scheme == 'https' else ''}://{host}{parts.path}"
    return found


def _leaves(tree: Any) -> list[str]:
    if isinstance(tree, Mapping):
        return [leaf for part in tree.values() for leaf in _leaves(part)]
    return [tree]
