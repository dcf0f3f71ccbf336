"""A component that asks the server for things and is told what came of each."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import param

from app.components.island import COMMON_CSS, COMMON_JS, HERE, Island, dumps
from app.components.later import Later

Ask = Callable[[Mapping[str, Any]], Any]
"""Called with what is asked, `what` and more; its answer, perhaps awaited, goes to the browser."""


def asking_module(name: str) -> str:
    """Return the JavaScript module of such a component, after what it shares with others."""
    own = [(HERE / f"{one}.js").read_text(encoding="utf-8") for one in ("asking", name)]
    return "\n".join([COMMON_JS, *own])


def asking_style(name: str) -> str:
    """Return its stylesheet, after what it shares with others."""
    own = [(HERE / f"{one}.css").read_text(encoding="utf-8") for one in ("asking", name)]
    return "\n".join([COMMON_CSS, *own])


class Asking(Island):
    """Base: one state as JSON, and questions of the browser that are answered once each.

    An answer is a message and no state: what is in it, such as a new key, is kept nowhere.

    Parameters
    ----------
    on_ask : callable, optional
        See `Ask`; what it raises of `REFUSED` is told as the error.
    later : Later, optional
        Of the page, where answers take time.
    """

    __abstract = True

    state = param.String("{}", doc="What is shown, JSON; {} while it is loading.")

    _fill = "stretch_width"

    def __init__(
        self, on_ask: Ask | None = None, later: Later | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        self._on_ask, self._later = on_ask, later or Later()

    def draw(self, state: Mapping[str, Any]) -> None:
        """Show another state."""
        text = dumps(state)
        if text != self.state:
            self.state = text

    def _handle_msg(self, data: Any) -> None:
        ask = self._on_ask
        if ask is not None and isinstance(data, Mapping):
            self._later.carry_out(lambda: ask(data), partial(self._answered, data.get("n")))

    def _answered(self, n: Any, found: Any, failure: Exception | None) -> None:
        error = "" if failure is None else words_of(failure)
        self._send_msg({"n": n, "found": None if failure else found, "error": error})


def words_of(failure: Exception) -> str:
    """Return what an error says; a KeyError puts quotes around it."""
    text = failure.args[0] if isinstance(failure, KeyError) and failure.args else failure
    return str(text) or type(failure).__name__
