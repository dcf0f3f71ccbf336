import importlib
import pkgutil
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import app.components
from app.components.island import HERE, Island, dumps

FILES = sorted([*HERE.glob("*.js"), *HERE.glob("*.css")])


def parts(of: type[Island] = Island) -> Iterator[type[Island]]:
    """Every component there is."""
    for kind in of.__subclasses__():
        if kind.__module__.startswith("app."):
            yield kind
        yield from parts(kind)


for found in pkgutil.iter_modules(app.components.__path__, "app.components."):
    importlib.import_module(found.name)
PARTS = {kind.__name__: kind for kind in parts() if "_esm" in vars(kind)}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_draws_itself_in_the_colours_of_the_page(name: str) -> None:
    assert "export function render" in PARTS[name]._esm
    assert "--panel" in "".join(PARTS[name]._stylesheets)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_comes_from_outside_and_no_text_becomes_markup(path: Path) -> None:
    code = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    for word in ("innerHTML", "insertAdjacentHTML", "import ", "@import", "http://", "https://"):
        assert word not in code


@pytest.mark.parametrize("name", PARTS)
def test_module_is_valid_javascript(name: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine; the browser test compiles the modules as well")
    path = tmp_path / f"{name}.mjs"
    path.write_text(PARTS[name]._esm, encoding="utf-8")
    subprocess.run([node, "--check", str(path)], check=True, capture_output=True)


def test_dumps_writes_what_is_undefined_as_null() -> None:
    assert dumps({"a": float("nan"), "b": np.float64(1.5), "c": [np.inf]}) == (
        '{"a":null,"b":1.5,"c":[null]}'
    )
