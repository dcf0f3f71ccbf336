"""The pages of the product; adding one is one module and one line here."""

from types import ModuleType
from typing import Final

from app.pages import live, portfolio, research

PAGES: Final[tuple[ModuleType, ...]] = (live, portfolio, research)
"""Each module has `PATH`, `TITLE` and `page(services)`."""
