"""Param objects that several people turn at once, owned by one thread.

What a trader, a notebook and an API client share (`Weights`, `ScanRules`, `Agent`) belongs to
one loop. Setting it from another thread would run watchers, and with them page and socket code,
on that foreign thread; so it raises, and the caller goes through the owner's loop instead.
"""

import threading
from typing import Any

import param

from opportunity.errors import ThreadError


class Shared(param.Parameterized):
    """A Parameterized that may be bound to the thread that owns it."""

    _owner: int | None = None

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)

    def bind_thread(self) -> None:
        """Make the calling thread the owner; until then every thread may set parameters."""
        object.__setattr__(self, "_owner", threading.get_ident())

    def __setattr__(self, name: str, value: Any) -> None:
        if self._owner is not None and not name.startswith("_"):
            self._check(name)
        super().__setattr__(name, value)

    def _check(self, name: str) -> None:
        if threading.get_ident() != self._owner:
            raise ThreadError(
                f"{type(self).__name__}.{name} must be set from the thread that owns it, "
                f"was set from {threading.current_thread().name!r}"
            )
