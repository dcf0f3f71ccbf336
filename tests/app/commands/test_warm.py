"""`opportunity warm` as a process, on a copy of the compiled kernels."""

import os
import shutil
import subprocess
import sys

import pytest

from opportunity.kernels import HOME


def warm(folder) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "warm"], capture_output=True, text=True, check=False,
        timeout=600, env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
    )  # fmt: skip


@pytest.mark.slow
def test_kernels_are_compiled_once_and_old_ones_go(tmp_path) -> None:
    folder = tmp_path / "kernels"
    shutil.copytree(HOME, folder)
    stale, foreign = folder / ("0" * 16), folder / "others"
    stale.mkdir()
    foreign.mkdir()
    first = warm(folder)
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    assert not stale.exists()
    assert foreign.exists()
    kept = {p.relative_to(folder): p.stat().st_mtime_ns for p in folder.rglob("*.nbc")}
    assert kept
    assert warm(folder).returncode == 0
    again = {p.relative_to(folder): p.stat().st_mtime_ns for p in folder.rglob("*.nbc")}
    assert again == kept  # nothing was compiled anew


@pytest.mark.slow
def test_serve_has_nothing_left_to_compile(tmp_path) -> None:
    folder = tmp_path / "kernels"
    shutil.copytree(HOME, folder)
    assert warm(folder).returncode == 0
    before = set(folder.rglob("*.nbc"))
    script = (
        "import asyncio\n"
        "from opportunity.live import learner\n"
        "learner.AFTER_S = 0.0\n"
        "from opportunity.feeds.simulated import SimulatedFeed\n"
        "from opportunity.live.agent import Agent\n"
        "async def go():\n"
        "    agent = Agent(SimulatedFeed(symbols=4, speed=3e4), timeframes=('1m', '1h', '1d'))\n"
        "    await agent.start(thread=True)\n"
        "    start = agent.time\n"
        "    while agent.time < start + 7_200_000: await asyncio.sleep(0.01)\n"
        "    while agent.calibration() is None: await asyncio.sleep(0.01)\n"
        "    await agent.stop()\n"
        "asyncio.run(go())\n"
    )
    subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=300,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
    )  # fmt: skip
    assert set(folder.rglob("*.nbc")) == before
