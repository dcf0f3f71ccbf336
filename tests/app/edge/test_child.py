"""What a child does with what it is told on its standard input."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis_server import free_port

from app.edge.child import READY, Order, whereabouts
from app.edge.process import MODULE


def test_orders_are_lines() -> None:
    order = Order("agent", {"port": 1, "symbols": "A,B"}, "http://a")
    assert order.line().endswith(b"\n")
    assert order.line().count(b"\n") == 1
    assert Order(**orjson.loads(order.line())) == order
    assert json.loads(whereabouts("http://b")) == {"agent_url": "http://b"}


def child(order: Order | bytes, home: Path, **environment: str) -> "subprocess.Popen[bytes]":
    given = os.environ | {"OPPORTUNITY_EDGE_SECRET": "secret", "OPPORTUNITY_HOME": str(home)}
    made = subprocess.Popen(
        [sys.executable, *MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=given | environment,
    )
    assert made.stdin is not None
    made.stdin.write(order if isinstance(order, bytes) else order.line())
    made.stdin.flush()
    return made


def ask(port: int) -> tuple[int, Any]:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/x", timeout=5)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    raise AssertionError("nobody is behind")


@pytest.mark.parametrize("how", ["signal", "end of input"])
def test_an_edge_serves_until_it_is_told_or_left_alone(tmp_path: Path, how: str) -> None:
    port = free_port()
    made = child(Order("edge", {"port": port, "workers": 2}), tmp_path)
    assert made.stdout is not None
    assert made.stdin is not None
    assert made.stdout.readline() == READY
    assert ask(port)[1]["code"] == "agent_away"
    made.stdin.write(whereabouts(f"http://127.0.0.1:{free_port()}"))
    made.stdin.flush()
    assert ask(port)[0] == 503
    if how == "signal":
        made.send_signal(signal.SIGTERM)
    else:
        made.stdin.close()
        made.stdin = None
    _, errors = made.communicate(timeout=20)
    assert made.returncode == 0, errors
    assert b"Traceback" not in errors


def test_an_agent_with_wrong_settings_says_so_and_ends_in_order(tmp_path: Path) -> None:
    """Its input is open: where a thread waits in a buffered read, Python aborts at the end."""
    flags = {"port": free_port(), "timeframes": "7m", "home": str(tmp_path)}
    made = child(Order("agent", flags), tmp_path)
    assert made.stderr is not None
    errors = made.stderr.read()  # until it ends
    assert made.wait(60) == 2, errors
    assert b"7m" in errors
    assert b"Traceback" not in errors
    assert b"Fatal" not in errors
    made.communicate()


def test_what_is_said_right_behind_the_order_is_heard(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as behind:
        port, agent = free_port(), f"http://127.0.0.1:{behind.getsockname()[1]}"
        lines = Order("edge", {"port": port, "workers": 2}).line() + whereabouts(agent)
        made = child(lines, tmp_path)
        assert made.stdout is not None
        assert made.stdout.readline() == READY
        behind.settimeout(20)
        answered = threading.Thread(target=ask, args=(port,), daemon=True)
        answered.start()
        behind.accept()[0].close()
    answered.join(20)
    made.terminate()
    made.communicate(timeout=20)
