"""Keeps what a channel sends away from this machine and its neighbours.

A name is not judged where it is written but where the line is opened: the interpreter asks before
every connection of a thread that is sending, with the address that is really dialled. So a name
that changes its mind, a redirect and another spelling of the same number all end here.
"""

import ipaddress
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

_NEAR_NAMES: Final = ("localhost", "local", "internal", "lan", "home.arpa")
_SHARED: Final = ipaddress.ip_network("100.64.0.0/10")  # behind a provider's address translation
_PROTOCOLS: Final = ipaddress.ip_network("192.0.0.0/24")  # set aside; nobody's machine
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_UNICAST: Final = ipaddress.ip_network("2000::/3")  # all that has been given out of IPv6


@dataclass
class Sending:
    """One message on its way; `refused` once it wanted to go where it may not."""

    private: bool
    refused: bool = False


_sending: ContextVar[Sending | None] = ContextVar("alerts_sending", default=None)
_install = threading.Lock()
_installed = False


class PrivateAddressError(OSError):
    """Raised instead of a connection to an address that is not public."""


def is_public(address: str) -> bool:
    """Say whether an IP address, as text, is that of a machine on the public Internet.

    Raises
    ------
    ValueError
        If it is no IP address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
        if ip not in _UNICAST:  # e.g. site-local ones, and old ways to write an IPv4 address
            return False
    elif ip in _SHARED or ip in _PROTOCOLS:
        return False
    return ip.is_global and not ip.is_multicast


def is_near(host: str) -> bool:
    """Say whether a host as it is written can only mean a machine that is not public.

    Names are not looked up; numbers are read as the system's resolver does, so ``0x7f.1`` and
    ``2130706433`` are 127.0.0.1.
    """
    host = host.strip().strip("[]").rstrip(".").lower()
    if host in _NEAR_NAMES or host.endswith(tuple("." + name for name in _NEAR_NAMES)):
        return True
    try:
        return not is_public(host)
    except ValueError:
        pass
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, ValueError):
        return False


@contextmanager
def sending(private: bool) -> Iterator[Sending]:
    """Mark this thread as one that sends; unless `private`, it reaches public addresses only."""
    install()
    message = Sending(private)
    before = _sending.set(message)
    try:
        yield message
    finally:
        _sending.reset(before)


def is_sending() -> bool:
    """Say whether this thread is inside `sending`."""
    return _sending.get() is not None


def install() -> None:
    """Ask to be asked before every connection; for good, as an audit hook cannot be taken back."""
    global _installed
    with _install:
        if not _installed:
            sys.addaudithook(_audit)
            _installed = True


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        return
    message = _sending.get()
    if message is not None and not message.private and not _allowed(args[0], args[1]):
        message.refused = True
        raise PrivateAddressError("address must be public, was not")


def _allowed(line: socket.socket, address: Any) -> bool:
    if line.family not in (socket.AF_INET, socket.AF_INET6):
        return False  # e.g. the socket of this machine's log
    if address is None:  # of a line that was checked when it was connected
        return True
    try:
        return is_public(str(address[0]))
    except ValueError:  # a name: what it means would be looked up after this check
        return False
