"""A child process: told, heard, stopped, and killed when it does not obey."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from redis_server import free_port

from app.edge import process as module
from app.edge.child import READY, Order
from app.edge.process import Process

PROGRAM = """
import signal, sys
{before}
print(sys.stdin.readline().strip(), flush=True)
for line in sys.stdin:
    print("told", line.strip(), flush=True)
print("gone", flush=True)
"""


async def started(monkeypatch: pytest.MonkeyPatch, before: str = "") -> tuple[Process, list[bytes]]:
    """Start a program in the place of a child of ours."""
    real = asyncio.create_subprocess_exec

    async def instead(*words: str, **given: Any) -> Any:
        assert words == (sys.executable, "-P", "-m", "app.edge.child")
        return await real(sys.executable, "-c", PROGRAM.format(before=before), **given)

    monkeypatch.setattr(module.asyncio, "create_subprocess_exec", instead)
    said: list[bytes] = []
    made = Process(Order("edge", {"port": 1}, "http://a"), dict(os.environ))
    assert (made.pid, made.alive) == (0, False)
    await made.start(said.append)
    await until(lambda: said)
    return made, said


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.01)


async def test_it_is_told_its_order_and_where_the_agent_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = await started(monkeypatch)
    assert said[0] == Order("edge", {"port": 1}, "http://a").line()
    assert (made.told, made.alive) == ("http://a", True)
    made.tell("http://b")
    await until(lambda: len(said) == 2)
    assert said[1] == b'told {"agent_url":"http://b"}\n'
    assert made.told == "http://b"
    assert await made.stop(5) == -signal.SIGTERM
    assert (made.alive, await made.stop(5)) == (False, -signal.SIGTERM)
    made.tell("http://c")  # nobody hears it, and that is no error


async def test_one_that_does_not_obey_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = await started(monkeypatch, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    assert await made.stop(0.1) == -signal.SIGKILL


async def test_its_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = await started(monkeypatch)
    os.kill(made.pid, signal.SIGKILL)
    assert await made.wait() == -signal.SIGKILL
    assert not made.alive


async def test_it_has_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = await started(monkeypatch)
    assert os.getsid(made.pid) == made.pid
    await made.stop(5)


async def test_it_inherits_the_socket_that_it_shall_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    real, passed = asyncio.create_subprocess_exec, []

    async def instead(*words: str, **given: Any) -> Any:
        passed.append(given["pass_fds"])
        return await real(sys.executable, "-c", "", **given)

    monkeypatch.setattr(module.asyncio, "create_subprocess_exec", instead)
    with socket.socket() as inner:
        for listening in (inner.fileno(), None):
            made = Process(Order("agent", listening=listening), dict(os.environ))
            await made.start(None)
            assert await made.wait() == 0
        assert passed == [(inner.fileno(),), ()]


async def test_a_process_that_never_began_has_ended() -> None:
    assert await Process(Order("edge"), {}).wait() == 0


async def test_files_of_the_current_folder_are_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("orjson", "structlog", "app"):
        (tmp_path / f"{name}.py").write_text("print('somebody else', flush=True)")
    monkeypatch.chdir(tmp_path)
    given = os.environ | {"OPPORTUNITY_EDGE_SECRET": "secret", "OPPORTUNITY_HOME": str(tmp_path)}
    said: list[bytes] = []
    made = Process(Order("edge", {"port": free_port(), "workers": 2}), given)
    await made.start(said.append)
    async with asyncio.timeout(30):
        while not said and made.alive:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.01)
    await made.stop(10)
    assert said == [READY]
