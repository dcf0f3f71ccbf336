"""What every component is: a small piece of the page that draws itself in the browser.

The server sends plain data as one JSON text per parameter. Each text is the whole state of what
it names, so a component that was built late, or drawn again, is never behind; and one text is
cheaper for the document than thousands of values.
"""

from pathlib import Path
from typing import Any, ClassVar, Final

import orjson
from panel.custom import JSComponent

from app.components.theme import inherited

HERE: Final = Path(__file__).parent
COMMON_JS: Final = (HERE / "common.js").read_text(encoding="utf-8")
COMMON_CSS: Final = inherited() + (HERE / "common.css").read_text(encoding="utf-8")


def module(name: str) -> str:
    """Return the JavaScript module of a component, after what all of them share."""
    return f"{COMMON_JS}\n{(HERE / f'{name}.js').read_text(encoding='utf-8')}"


def style(name: str) -> str:
    """Return the stylesheet of a component, after what all of them share."""
    return f"{COMMON_CSS}\n{(HERE / f'{name}.css').read_text(encoding='utf-8')}"


def dumps(state: Any) -> str:
    """Write plain data as JSON; NaN and infinity become null."""
    return orjson.dumps(state, option=orjson.OPT_SERIALIZE_NUMPY).decode()


class Island(JSComponent):
    """Base of the components; a subclass names its module and stylesheet."""

    __abstract = True

    _fill: ClassVar[str | None] = None
    _stylesheets: ClassVar[list[str]] = [COMMON_CSS]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"sizing_mode": self._fill, "margin": 0, **params})
