import ast
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from app.components.theme import PALETTES
from opportunity.plots.looks import LOOKS, holoviews, look_of, rendered

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("default")  # of the plotting libraries


@pytest.mark.parametrize("name", LOOKS)
def test_colours_are_those_of_the_pages(name):
    palette = PALETTES[name]
    look = LOOKS[name]
    for field in ("panel", "line", "text", "dim", "bull", "bear", "info", "warn", "acc"):
        assert getattr(look, field) == getattr(palette, field), field


def test_unknown_theme_is_told():
    with pytest.raises(ValueError, match=r"theme must be a known name.*dark"):
        look_of("drak")


def test_holoviews_is_imported_only_when_a_picture_is_made():
    code = "import opportunity.plots, sys; sys.exit('holoviews' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_plots_import_holoviews_and_only_inside_functions():
    for room in ("opportunity", "app"):
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            inside = {
                id(node) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)
                for node in ast.walk(f)
            }
            for node in ast.walk(tree):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                if any(name.split(".")[0] == "holoviews" for name in names):
                    assert path.parent == ROOT / "opportunity" / "plots", path
                    assert id(node) in inside, path


def test_rendered_picture_has_no_logo():
    hv = holoviews()
    model = rendered(hv.Layout([hv.Curve([1, 2]), hv.Curve([2, 1])]).cols(1))
    assert model.toolbar.logo is None


def test_picture_that_is_dropped_leaves_nothing_behind():
    hv = holoviews()

    def drawn() -> weakref.ref:
        picture = hv.Layout([hv.Curve([1, 2]), hv.Curve([2, 1]).opts(color="red")]).cols(1)
        return weakref.ref(rendered(picture))

    found = [drawn() for _ in range(2)]
    gc.collect()
    assert [ref() for ref in found] == [None, None]
