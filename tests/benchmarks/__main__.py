"""`make bench`: run every benchmark one after the other and print what came out.

Nothing here is asserted: times depend on the machine. Run it on an idle one.
"""

import importlib.metadata
import os
import platform
import subprocess
import sys

BENCHMARKS = (
    "bench_indicators", "bench_detectors", "bench_scan", "bench_latency", "bench_backtest",
    "bench_sweep",
)  # fmt: skip
SHOWN = (
    "numpy", "numba", "pandas", "panel", "bokeh", "tornado", "vectorbt", "vectorbt-rust",
    "backtesting",
)  # fmt: skip


def main() -> int:
    """Run the benchmarks as processes of their own; the first failure ends the run."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in SHOWN)
    sys.stdout.write(f"{platform.machine()}, {os.cpu_count()} cores, {platform.python_version()}\n")
    sys.stdout.write(f"{versions}\n")
    for name in BENCHMARKS:
        sys.stdout.write(f"\n{name}\n")
        sys.stdout.flush()
        code = subprocess.call([sys.executable, "-m", f"tests.benchmarks.{name}"])
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
