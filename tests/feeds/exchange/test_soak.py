"""The agent on a local exchange for a day: no bar is lost, nothing grows, nothing is left behind.

Runs in a process of its own: what thousands of other tests left in the allocator is not ours.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = [
    "--symbols", "20", "--speed", "600", "--minutes", "2.5", "--every", "25", "--recycle", "40",
]  # fmt: skip

MOST_GROWTH_MIB = 8
"""Minutes of prints grow by 2 MiB until they are three days long; ccxt's objects for one more
line that is not let go of would be 3, and the lines are replaced three times."""

MOST_NEW_BLOCKS = 15_000
"""What Python holds, by the piece: a float leaked for each bar would be 20,000."""


@pytest.mark.slow
def test_a_day_of_twenty_symbols_over_three_lines_loses_and_leaks_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.soak_exchange", *COMMAND],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["bars"] > 20_000
    assert (told["missing"], told["twice"], told["different"]) == (0, 0, 0)
    assert told["late_share_since_settled"] < 0.05
    assert told["release_wall_ms"][0] < 200
    assert told["reconnects"] >= 2, "each line must have been replaced"
    assert max(told["streams"]) <= 6, "replaced objects must be let go of"
    assert told["grown_least_of_three_mib"] < MOST_GROWTH_MIB
    assert told["blocks"][1] - told["blocks"][0] < MOST_NEW_BLOCKS
    assert told["descriptors"][1] <= told["descriptors"][0] + 6  # calls come and go
    assert told["tasks"][1] <= told["tasks"][0] + 4
    assert told["threads"][1] <= told["threads"][0] + 2
