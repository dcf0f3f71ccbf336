"""Param objects that several people turn at once, owned by one thread.

What a trader, a notebook and an API client share (`Weights`, `ScanRules`, `Agent`) belongs to
one loop. Setting it from another thread would run watchers, and with them page and socket code,
on that foreign thread; so it raises, and the caller goes through the owner's loop instead.
"""

import threading
from typing import Any

import param

from opportunity.errors import ThreadError, unknown


class Shared(param.Parameterized):
    """A Parameterized that may be bound to the thread that owns it.

    Raises
    ------
    TypeError
        If it is made with a keyword that it does not know.
    """

    _owner: int | None = None

    def __init__(self, **params: Any) -> None:
        for name in params:
            if name not in self.param:
                known = [n for n in self.param if n != "name"]
                raise TypeError(unknown(f"keyword of {type(self).__name__}", name, known))
        super().__init__(**params)

    def bind_thread(self) -> None:
        """Make the calling thread the owner; until then every thread may set parameters."""
        object.__setattr__(self, "_owner", threading.get_ident())

    def __setattr__(self, name: str, value: Any) -> None:
        if self._owner is not None and not name.startswith("_"):
            self._check(name)
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        """Return the values that are not the default ones."""
        changed = self.param.values(onlychanged=True)
        inside = ", ".join(f"{n}={v!r}" for n, v in changed.items() if n != "name")
        return f"{type(self).__name__}({inside})"

    __str__ = __repr__

    def _check(self, name: str) -> None:
        if threading.get_ident() != self._owner:
            raise ThreadError(
                f"{type(self).__name__}.{name} must be set from the thread that owns it, "
                f"was set from {threading.current_thread().name!r}"
            )
