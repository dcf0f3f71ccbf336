import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location(
    "scripted", Path(__file__).with_name("scripted.py")
)
_module = importlib.util.module_from_spec(_spec)
sys.modules["scripted"] = _module
_spec.loader.exec_module(_module)


@pytest.fixture
def scripted() -> object:
    """The module of the scripted feed."""
    return _module
