import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from app.components.island import HERE, dumps, module, style

MODULES = sorted(p.stem for p in HERE.glob("*.js") if p.stem not in ("common", "chart_readout"))


def test_every_module_has_its_stylesheet() -> None:
    assert MODULES
    for name in MODULES:
        assert "--panel" in style(name)
        assert "export function render" in module(name)


@pytest.mark.parametrize("name", MODULES)
def test_nothing_comes_from_outside_and_no_text_becomes_markup(name: str) -> None:
    code = module(name)
    assert "innerHTML" not in code
    assert "insertAdjacentHTML" not in code
    assert "import " not in code
    for text in (code.replace("http://www.w3.org/2000/svg", ""), style(name)):
        assert "http://" not in text
        assert "https://" not in text


@pytest.mark.parametrize("name", MODULES)
def test_module_is_valid_javascript(name: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine; the browser test compiles the modules as well")
    path = tmp_path / f"{name}.mjs"
    path.write_text(module(name), encoding="utf-8")
    subprocess.run([node, "--check", str(path)], check=True, capture_output=True)


def test_dumps_writes_what_is_undefined_as_null() -> None:
    assert dumps({"a": float("nan"), "b": np.float64(1.5), "c": [np.inf]}) == (
        '{"a":null,"b":1.5,"c":[null]}'
    )
