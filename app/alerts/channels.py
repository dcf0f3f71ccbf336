"""Channels: where alerts go, by addresses that apprise reads and nobody ever sees.

Every scheme that apprise sends over HTTP or as mail is allowed. The others are not: what shows up
on a desktop or in a log of the server (`dbus`, `macosx`, `syslog`) reaches nobody who is away, and
what keeps its own lines and threads (`irc`, `mqtt`, `xmpp`) would go past the guard.
"""

import logging
import re
import sys
import threading
import warnings
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Final

from app.alerts.guard import is_near, is_sending, sending
from opportunity.config import SettingsError
from opportunity.config_lists import AlertChannel

LONGEST_WAIT_S: Final = 10.0
"""For a connection, and between two pieces of an answer."""

_STATUS: Final = re.compile(r"error\W{1,3}(\d{3})\b")
_LIBRARIES: Final = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry",
                     "requests", "charset_normalizer")  # fmt: skip
_heard: ContextVar[list[str] | None] = ContextVar("alerts_heard", default=None)


class Channel:
    """One place to tell things to.

    Parameters
    ----------
    name : str
        Stands for it everywhere.
    plugin : NotifyBase
        Of apprise; holds the address.
    private : bool
        Whether it may lie on this machine or near it.
    """

    def __init__(self, name: str, plugin: Any, private: bool) -> None:
        self.name, self._plugin, self._private = name, plugin, private
        self.service = str(plugin.service_name)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Channel({self.name!r}, {self.service!r})"

    def send(self, title: str, body: str) -> str:
        """Send plain text at once, in the caller's thread.

        Returns
        -------
        str
            Empty if it was taken; else the kind of failure, without any address: ``status 429``,
            ``not reachable``, ``address not public``, ``not taken``.
        """
        from apprise import NotifyFormat, NotifyType

        heard: list[str] = []
        mark = _heard.set(heard)
        try:
            with self._lock, sending(self._private) as message:
                taken = self._plugin.notify(
                    title=title, body=body, notify_type=NotifyType.INFO,
                    body_format=NotifyFormat.TEXT,
                )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - 180 plugins; their errors may hold addresses
            taken, heard = False, [*heard, type(error).__name__]
        finally:
            _heard.reset(mark)
        if taken:
            return ""
        return "address not public" if message.refused else _kind(heard)


def open_channels(wanted: Sequence[AlertChannel], private: bool) -> tuple[Channel, ...]:
    """Return the channels of the settings; imports apprise (a second) only if there are any.

    Raises
    ------
    SettingsError
        If an address is not understood, not allowed, or plainly not public; names the channel and
        shows nothing of the address.
    """
    if not wanted:
        return ()
    _silence()
    with warnings.catch_warnings():  # it loads 180 plugins, some with old libraries
        warnings.simplefilter("ignore", DeprecationWarning)
        return tuple(Channel(c.name, _plugin(c, private), private) for c in wanted)


def _plugin(channel: AlertChannel, private: bool) -> Any:
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="opportunity", app_desc="opportunity", app_url="", http_redirects=False,
        async_mode=False, secure_logging=True, pgp_autogen=False, pem_autogen=False,
    )  # fmt: skip
    plugin = Apprise.instantiate(channel.address, asset=asset)
    if plugin is None:
        raise SettingsError(
            f"alerts channel {channel.name!r} must have an address that apprise understands"
        )
    if not over_http_or_mail(type(plugin)):
        raise SettingsError(
            f"alerts channel {channel.name!r} must be sent over HTTP or as mail, "
            f"was of the service {str(plugin.service_name)!r}"
        )
    if not private and any(is_near(host) for host in _hosts(plugin)):
        raise SettingsError(
            f"alerts channel {channel.name!r} must have a public address; "
            "OPPORTUNITY_ALERTS_PRIVATE=true lets it be near"
        )
    plugin.redirects = False  # whatever the address says
    plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, LONGEST_WAIT_S)
    plugin.socket_read_timeout = min(plugin.socket_read_timeout, LONGEST_WAIT_S)
    return plugin


def over_http_or_mail(plugin: type) -> bool:
    """Say whether a plugin of apprise sends with `requests` or as mail, in the caller's thread."""
    modules = [k.__module__ for k in plugin.__mro__ if k.__module__.startswith("apprise.plugins.")]
    if any(name.startswith("apprise.plugins.email") for name in modules):
        return True
    return any(hasattr(sys.modules[name], "requests") for name in modules)


def _hosts(plugin: Any) -> list[str]:
    """Return the hosts that stand in an address; of most services it names none."""
    written = [plugin.host] if any("{host}" in t for t in plugin.templates) else []
    return [str(host) for host in (*written, getattr(plugin, "smtp_host", None)) if host]


def _kind(heard: Sequence[str]) -> str:
    text = " ".join(heard)
    found = _STATUS.search(text)
    if found:
        return f"status {found.group(1)}"
    lost = "connection error" in text.lower() or "socket" in text.lower()
    return "not reachable" if lost else "not taken"


def _silence() -> None:
    """Keep addresses, which apprise and what it uses do log, out of every log."""
    log = logging.getLogger("apprise")
    log.setLevel(logging.WARNING)
    for logger, keep in [(log, _hear), *((logging.getLogger(n), _pass) for n in _LIBRARIES)]:
        if keep not in logger.filters:
            logger.addFilter(keep)


def _hear(record: logging.LogRecord) -> bool:
    """Take what apprise says about the message that is being sent, and show it to nobody."""
    heard = _heard.get()
    if heard is not None and len(heard) < 20:
        heard.append(record.getMessage()[:1_000])
    return False


def _pass(record: logging.LogRecord) -> bool:
    return not is_sending()
