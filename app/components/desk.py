"""The small tools of the Live page, each a button with a dialog: what they share."""

from typing import Any, ClassVar

from app.components.asking import Asking, asking_module, asking_style
from app.components.island import HERE


def desk_module(name: str) -> str:
    """Return the JavaScript module of a tool, after what it shares with others."""
    return f"{asking_module('desk')}\n{(HERE / f'{name}.js').read_text(encoding='utf-8')}"


class Desk(Asking):
    """Base of the tools; what is pressed is asked of the server."""

    __abstract = True

    _fill: ClassVar[Any] = None  # as wide as what is in it
    _stylesheets: ClassVar[list[str]] = [asking_style("desk")]
