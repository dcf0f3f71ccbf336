"""The pages of the product; adding one is one module and one line here."""

from types import ModuleType
from typing import Final

from app.pages import live

PAGES: Final[tuple[ModuleType, ...]] = (live,)
"""Each module has `PATH`, `TITLE` and `page(services)`."""
