import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import pytest

from opportunity import kernels

SOURCE = Path(kernels.__file__)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with one kernel module in one room."""
    for room in kernels.ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "market" / "sums.py").write_text("def add(a, b):\n    return a + b\n")
    return tmp_path


@pytest.fixture
def hashed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernels, "ROOT", tree)
    return tree


def load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_room_that_is_hashed_exists_or_is_still_to_come():
    present = {p.name for p in SOURCE.parent.iterdir() if p.is_dir()}
    assert set(kernels.ROOMS) - present <= {"backtest"}


def test_every_module_with_a_kernel_lies_in_a_hashed_room():
    for path in SOURCE.parent.rglob("*.py"):
        if path != SOURCE and "@kernel" in path.read_text():
            room = path.relative_to(SOURCE.parent).parts[0]
            assert room in kernels.ROOMS, f"{path} would run stale machine code"


def test_source_hash_changes_with_a_kernel_in_a_folder_of_its_room(hashed):
    folder = hashed / "feeds" / "simulation"
    folder.mkdir()
    (folder / "noise.py").write_text("x = 1\n")
    before = kernels.source_hash()
    (folder / "noise.py").write_text("x = 2\n")
    assert kernels.source_hash() != before


def test_source_hash_changes_when_a_module_moves_to_another_room(hashed):
    before = kernels.source_hash()
    (hashed / "market" / "sums.py").rename(hashed / "indicators" / "sums.py")
    assert kernels.source_hash() != before


def test_source_hash_is_sixteen_hexadecimal_digits_and_repeats():
    assert len(kernels.VERSION) == 16
    assert int(kernels.VERSION, 16) >= 0
    assert kernels.source_hash() == kernels.source_hash()


def test_source_hash_changes_with_a_kernel(hashed):
    before = kernels.source_hash()
    (hashed / "market" / "sums.py").write_text("def add(a, b):\n    return a - b\n")
    assert kernels.source_hash() != before


@pytest.mark.parametrize("name", ["another.py", "sums2.py"])
def test_source_hash_changes_with_a_new_or_renamed_module(hashed, name):
    before = kernels.source_hash()
    (hashed / "market" / "sums.py").rename(hashed / "market" / name)
    assert kernels.source_hash() != before


def test_source_hash_changes_with_numba(hashed, monkeypatch):
    before = kernels.source_hash()
    monkeypatch.setattr(numba, "__version__", "0.0.0")
    assert kernels.source_hash() != before


def test_source_hash_ignores_what_holds_no_kernel(hashed):
    before = kernels.source_hash()
    (hashed / "market" / "notes.txt").write_text("nothing")
    (hashed / "live").mkdir()
    (hashed / "live" / "agent.py").write_text("x = 1\n")
    assert kernels.source_hash() == before


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three modules: `top` imports `middle`, which imports `low`; `other` imports nothing."""
    root = tmp_path / "opportunity"
    for room in ("market", "detectors"):
        (root / room).mkdir(parents=True)
    (root / "market" / "low.py").write_text("x = 1\n")
    (root / "market" / "__init__.py").touch()
    (root / "detectors" / "middle.py").write_text(
        "from opportunity.market import (\n    low,\n)\n"
    )
    (root / "detectors" / "top.py").write_text("from opportunity.detectors.middle import a\n")
    (root / "detectors" / "other.py").write_text("y = 1\n")
    monkeypatch.setattr(kernels, "ROOT", root)
    yield root
    kernels._imports.cache_clear()


def _hashes(root: Path) -> dict[str, str]:
    kernels._imports.cache_clear()
    return {p.stem: kernels.module_hash(p) for p in root.rglob("*.py") if p.stem != "__init__"}


def test_module_hash_changes_with_all_that_is_imported_and_nothing_else(package):
    before = _hashes(package)
    (package / "market" / "low.py").write_text("x = 2\n")
    after = _hashes(package)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"low", "middle", "top"}


def test_module_hash_of_a_circle_ends(package):
    (package / "market" / "low.py").write_text("from opportunity.detectors.top import a\n")
    hashes = _hashes(package)
    assert hashes["low"] == hashes["middle"] == hashes["top"] != hashes["other"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"NUMBA_CACHE_DIR": "/n", "OPPORTUNITY_HOME": "/o"}, Path("/n")),
        ({"OPPORTUNITY_HOME": "/o"}, Path("/o/kernels")),
        ({"OPPORTUNITY_HOME": "~/o"}, Path.home() / "o" / "kernels"),
        ({"HOME": "/h"}, Path("/h/.opportunity/kernels")),
    ],
)
def test_cache_home_follows_the_environment(monkeypatch, environment, expected):
    for name in ("NUMBA_CACHE_DIR", "OPPORTUNITY_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert kernels._home() == expected


def test_prune_deletes_unused_code_only(tmp_path, monkeypatch):
    ours, other = tmp_path / "fedcba9876543210", tmp_path / "0123456789abcdef"
    for folder in (ours, other):
        folder.mkdir()
        (folder / "code.nbc").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("kept")
    (tmp_path / "other_program_0123").mkdir()
    monkeypatch.setattr(kernels, "HOME", tmp_path)
    monkeypatch.setattr(kernels, "_used", {ours.name})
    assert kernels.prune() == 1
    kept = {p.name for p in tmp_path.iterdir()}
    assert kept == {ours.name, "notes.txt", "other_program_0123"}
    assert (ours / "code.nbc").exists()
    assert kernels.prune() == 0


def test_prune_of_a_folder_that_never_was_deletes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "HOME", tmp_path / "never")
    assert kernels.prune() == 0


def test_kernel_adds_in_the_order_that_is_written(tmp_path):
    path = tmp_path / "ordered.py"
    path.write_text(
        "from opportunity.kernels import kernel\n"
        "@kernel\n"
        "def total(x):\n"
        "    s = 0.0\n"
        "    for i in range(x.size):\n"
        "        s += x[i]\n"
        "    return s\n"
        "@kernel\n"
        "def ratio(a, b):\n"
        "    return a / b\n"
    )
    module = load("ordered", path)
    x = np.random.default_rng(0).normal(size=1_001) * 10.0 ** np.arange(1_001.0).clip(0, 12)
    expected = 0.0
    for value in x.tolist():
        expected += value
    assert module.total(x) == expected
    assert module.ratio(1.0, 0.0) == float("inf")


SCRIPT = """
from opportunity import kernels
import compiled
assert compiled.double(2.0) == 4.0
stats = compiled.double.stats
print(*kernels._used, len(stats.cache_hits), len(stats.cache_misses))
"""


def test_kernel_is_compiled_once_and_found_by_the_next_process(tmp_path):
    (tmp_path / "compiled.py").write_text(
        "from opportunity.kernels import kernel\n"
        "@kernel\n"
        "def double(x):\n"
        "    return x + x\n"
    )
    package = tmp_path / "opportunity"  # a copy without rooms: nothing else sets its version
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "kernels.py").write_text(SOURCE.read_text())
    home = tmp_path / "cache"
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(home),
        "PYTHONPATH": str(tmp_path),
    }
    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=environment, capture_output=True, text=True, check=True,
        ).stdout.split()
        for _ in range(2)
    ]  # fmt: skip
    version = said[0][0]
    assert said == [[version, "0", "1"], [version, "1", "0"]]
    assert [p.name for p in home.iterdir()] == [version]
