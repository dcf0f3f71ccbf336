"""Servers as processes of their own, for benchmarks and load runs, and what they cost."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERTZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_S = 180.0


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def end_on_term() -> None:
    """Let SIGTERM end this process as an exception does: what it started ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def cpu_s(pid: int) -> float:
    """Return the processor time of a process, all threads, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / HERTZ


def rss(pid: int) -> int:
    """Return the resident memory of a process, bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def machine_busy_s() -> float:
    """Return the seconds that all processors together have worked since the machine's start."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, hard, soft = map(int, fields[:7])
    return (user + nice + system + hard + soft) / HERTZ


def raise_files(wanted: int) -> None:
    """Allow this process and its children so many open files.

    Raises
    ------
    SystemExit
        If the machine does not; says what to do.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        raise SystemExit(
            f"open files must be at least {wanted} a process, were {soft} (at most {hard}): "
            f"run `ulimit -n {wanted}` as root first, or ask for fewer clients"
        ) from None


@contextmanager
def running(command: list[str], given: str = "", env: Mapping[str, str] | None = None) -> Iterator[
    subprocess.Popen[str]
]:  # fmt: skip
    """Run a process in a group of its own; its whole group is gone after."""
    made = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **(env or {})}, start_new_session=True,
    )  # fmt: skip
    try:
        assert made.stdin is not None
        if given:
            made.stdin.write(given)
            made.stdin.flush()
        yield made
    finally:
        if made.poll() is None:
            made.terminate()
            try:
                made.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(made.pid, 9)
        made.wait()
        for pipe in (made.stdin, made.stdout):
            if pipe is not None:
                pipe.close()


def wait_for(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Return the first line of a process that matches.

    Raises
    ------
    RuntimeError
        If it ends before.
    """
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(pattern, line)
        if found:
            return found
    raise RuntimeError(f"process must say {pattern!r}, ended with {process.wait()}")


def wait_for_port(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def ask(module: str, what: Mapping[str, Any], timeout_s: float = 120.0) -> dict[str, Any]:
    """Run a module of this package that reads JSON and prints JSON."""
    done = subprocess.run(
        [sys.executable, "-m", module], input=json.dumps(what), capture_output=True, text=True,
        timeout=timeout_s, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{module} must end well, ended with {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def machine() -> str:
    """Say on what this runs and how busy it is."""
    one, five, _ = os.getloadavg()
    return (
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {one:.1f} (1 min), "
        f"{five:.1f} (5 min)"
    )
