"""Modules and stylesheets of components that show money, shares and bars."""

from app.components.island import COMMON_CSS, COMMON_JS, HERE

FIGURES_JS = f"{COMMON_JS}\n{(HERE / 'figures.js').read_text(encoding='utf-8')}"
FIGURES_CSS = f"{COMMON_CSS}\n{(HERE / 'figures.css').read_text(encoding='utf-8')}"


def figured_module(name: str) -> str:
    """Return the JavaScript module of a component, after what all of them and figures share."""
    return f"{FIGURES_JS}\n{(HERE / f'{name}.js').read_text(encoding='utf-8')}"


def figured_style(name: str) -> str:
    """Return the stylesheet of a component, after what all of them and figures share."""
    return f"{FIGURES_CSS}\n{(HERE / f'{name}.css').read_text(encoding='utf-8')}"
