"""Colours of the product: one palette a theme, for stylesheets and for charts alike."""

from dataclasses import dataclass, fields
from typing import Final, Literal

ThemeName = Literal["dark", "light", "contrast"]
THEME_COOKIE: Final = "opportunity-theme"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme, as CSS colours.

    Text colours reach a contrast of 4.5 to 1 on `panel` and on `chip` (WCAG 2.1 AA), in the theme
    of high contrast 7 to 1 (AAA); a test holds that.
    """

    bg: str
    panel: str
    line: str
    text: str
    dim: str
    chip: str
    bull: str
    bear: str
    info: str
    warn: str
    warn_bg: str
    acc: str
    on_acc: str
    select: str


DARK: Final = Palette(
    bg="#0e1116", panel="#151a21", line="#242b35", text="#e6e9ee", dim="#98a2b0",
    chip="#1e2530", bull="#10b981", bear="#f87171", info="#60a5fa", warn="#fbbf24",
    warn_bg="#3a2c05", acc="#7c9cff", on_acc="#0e1116", select="#232c43",
)
LIGHT: Final = Palette(
    bg="#f5f6f8", panel="#ffffff", line="#e1e5ea", text="#1a2029", dim="#596475",
    chip="#eef1f5", bull="#047857", bear="#c81e1e", info="#1d4ed8", warn="#8a5a00",
    warn_bg="#fff3d1", acc="#3b5bdb", on_acc="#ffffff", select="#e4eafd",
)
CONTRAST: Final = Palette(
    bg="#000000", panel="#000000", line="#8c95a3", text="#ffffff", dim="#d5dae1",
    chip="#1c1f24", bull="#2ee6a0", bear="#ff9d9d", info="#8cc8ff", warn="#ffd447",
    warn_bg="#332900", acc="#a9c1ff", on_acc="#000000", select="#1d2b4d",
)
PALETTES: Final[dict[ThemeName, Palette]] = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST}


def variables(palette: Palette) -> str:
    """Return the palette as declarations of CSS variables, e.g. ``--op-panel: #151a21;``."""
    return " ".join(
        f"--op-{field.name.replace('_', '-')}: {getattr(palette, field.name)};"
        for field in fields(palette)
    )


def stylesheet() -> str:
    """Return the CSS that declares all themes, chosen by ``<html data-theme=...>``."""
    return (
        f":root {{ {variables(LIGHT)} color-scheme: light; }}\n"
        f":root[data-theme=dark] {{ {variables(DARK)} color-scheme: dark; }}\n"
        f":root[data-theme=contrast] {{ {variables(CONTRAST)} color-scheme: dark; }}\n"
    )


def theme_of(name: object) -> ThemeName:
    """Return the theme of that name; dark for any other."""
    return next((theme for theme in PALETTES if theme == name), "dark")


def inherited() -> str:
    """Return local names for the palette inside a component, light where no page sets them."""
    names = " ".join(
        f"--{field.name.replace('_', '-')}: "
        f"var(--op-{field.name.replace('_', '-')}, {getattr(LIGHT, field.name)});"
        for field in fields(LIGHT)
    )
    return f":host {{ {names} }}\n"
