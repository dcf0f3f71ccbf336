"""Programs of npm that tests use; `tests/node_install.sh` puts them where they are looked for."""

import os
import tempfile
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(tempfile.gettempdir()) / f"opportunity-node-{os.getuid()}"


def node_tool(name: str) -> str:
    """Return the path of a program, e.g. ``tsc``; skip where there is none, but fail in CI."""
    found = FOLDER / "node_modules" / ".bin" / name
    if not found.exists() or found.stat().st_uid != os.getuid():
        text = f"{name} is not installed; run tests/node_install.sh"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return str(found)
