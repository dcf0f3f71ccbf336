"""Palettes: contrast is a promise, checked with the WCAG formula."""

import pytest

from app.components.theme import (
    CONTRAST,
    PALETTES,
    Palette,
    inherited,
    stylesheet,
    theme_of,
    variables,
)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_formula_of_black_on_white() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
@pytest.mark.parametrize(
    ("ink", "grounds"),
    [
        *((ink, ("panel", "chip", "bg", "select")) for ink in ("text", "dim", "bull", "bear")),
        *((ink, ("panel", "chip", "bg")) for ink in ("info", "warn")),
    ],
)
def test_text_reaches_wcag_aa(palette: Palette, ink: str, grounds: tuple[str, ...]) -> None:
    least = 7 if palette is CONTRAST else 4.5
    for ground in grounds:
        assert _contrast(getattr(palette, ink), getattr(palette, ground)) >= least, ground


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_buttons_and_marks_reach_wcag_aa(palette: Palette) -> None:
    least = 7 if palette is CONTRAST else 4.5
    assert _contrast(palette.on_acc, palette.acc) >= least
    assert _contrast(palette.warn, palette.warn_bg) >= least
    assert _contrast(palette.acc, palette.panel) >= 3


def test_high_contrast_draws_its_lines_too() -> None:
    assert _contrast(CONTRAST.line, CONTRAST.panel) >= 4.5
    assert f":root[data-theme=contrast] {{ {variables(CONTRAST)}" in stylesheet()


def test_a_theme_that_is_not_known_is_dark() -> None:
    assert [theme_of(name) for name in ("light", "contrast", "<b>", None)] == [
        "light", "contrast", "dark", "dark",
    ]


def test_components_name_every_colour_that_pages_declare() -> None:
    declared = {part.split(":")[0].strip() for part in stylesheet().split(";")}
    for name in ("--op-panel", "--op-on-acc"):
        assert any(name in part for part in declared)
        assert f"var({name}," in inherited()
