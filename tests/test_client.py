"""`connect`: thin, and the token comes from where it is safe."""

import subprocess
import sys

import pytest

from opportunity import client

HEAVY = ("numba", "tornado", "panel", "bokeh", "sqlalchemy", "ccxt", "pandas")


def test_importing_it_loads_no_server():
    code = (
        "import sys, opportunity as op; op.connect, op.RemoteAgent; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("given", "kept", "used"), [("a", "b", "a"), (None, "b", "b"), (None, None, None)]
)
def test_the_token_comes_from_the_call_or_the_environment(monkeypatch, given, kept, used):
    seen = []
    monkeypatch.setattr(client, "RemoteAgent", lambda url, token: seen.append((url, token)))
    monkeypatch.delenv(client.TOKEN, raising=False)
    if kept is not None:
        monkeypatch.setenv(client.TOKEN, kept)
    client.connect(token=given)
    assert seen == [("http://127.0.0.1:8000", used)]
