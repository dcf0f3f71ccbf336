"""The pages of the product; adding one is one module and one line here."""

from types import ModuleType
from typing import Final

from app.pages import context, journal, live, portfolio, research, risk, system

PAGES: Final[tuple[ModuleType, ...]] = (live, portfolio, risk, research, context, journal, system)
"""Each module has `PATH`, `TITLE` and `page(services)`; in the order of the navigation."""
