"""Components drawn by node on a small document, for what a browser is too slow to ask."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from app.components.island import Island

DOM: Final = (Path(__file__).parent / "small_dom.js").read_text(encoding="utf-8")


def drawn(
    component: type[Island], script: str, role: str = "trader", **values: Any
) -> Any:
    """Draw a component, run a script, and return what that returns.

    Parameters
    ----------
    component : type of Island
    script : str
        Body of an async function that knows `model`, `root` and what is in `small_dom.js`.
    role : str
        Of who looks.
    **values : str, bool or int
        Properties of the model that are not as by default.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    plain = {
        name: one.default for name, one in component.param.objects("existing").items()
        if isinstance(one.default, str | bool | int)
    }  # fmt: skip
    esm = str(component._esm).replace("export function render", "function render")
    code = f"""{DOM}
        document.documentElement.dataset.role = {json.dumps(role)};
        const model = new Model({json.dumps(plain | values)});
        (async () => {{ {esm}
          const root = render({{ model }});
          document.body.append(root);
          const found = await (async () => {{ {script} }})();
          process.stdout.write(JSON.stringify(found ?? null), () => process.exit(0));
        }})();"""
    done = subprocess.run(
        [node, "-"], input=code, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
