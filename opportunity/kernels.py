"""Compile the numeric kernels once and keep the machine code between runs.

numba stores compiled code beside the file it came from and looks only at that file's age: a
kernel that calls into a changed module would keep running the old code. So the folder of a
kernel's code is named by a hash of its own source and of every module that it imports, directly
or not: a changed kernel starts with an empty folder, and the others keep theirs.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
from numba.core.types import unliteral

ROOT = Path(__file__).parent
ROOMS = ("market", "indicators", "detectors", "scoring", "trading", "feeds", "backtest")
SOURCES: Final = frozenset({".py", ".csv"})
"""A word list decides a score as a line of code does."""

F = TypeVar("F", bound=Callable[..., Any])

_IMPORT = re.compile(
    r"^(?:from|import) (opportunity[\w.]*)(?: import (?:\(([^)]*)\)|([^\n(]*)))?", re.MULTILINE
)
_used: set[str] = set()


def source_hash() -> str:
    """Hash the source of every room that may hold kernels, as 16 hexadecimal digits."""
    return _digest(
        p for room in ROOMS for p in sorted((ROOT / room).rglob("*")) if p.suffix in SOURCES
    )


def module_hash(path: Path) -> str:
    """Hash a module and all that it imports of this package, as 16 hexadecimal digits."""
    return _digest(sorted(_closure(path)))


def _digest(paths: Iterator[Path] | list[Path]) -> str:
    digest = hashlib.sha256(f"{numba.__version__}".encode())
    for path in paths:
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
        digest.update(str(name).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _closure(path: Path) -> set[Path]:
    found, waiting = {path}, [path]
    while waiting:
        for imported in _imports(waiting.pop()):
            if imported not in found:
                found.add(imported)
                waiting.append(imported)
    return found


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """Files of this package that a module imports: modules, packages, and modules by name."""
    files = []
    for module, several, one in _IMPORT.findall(path.read_text(encoding="utf-8")):
        base = ROOT.joinpath(*module.split(".")[1:])
        names = [n.split(" as ")[0].strip() for n in (several or one).split(",")]
        files += [base.with_suffix(".py"), base / "__init__.py"]
        files += [base / f"{name}.py" for name in names if name]
    return tuple(f for f in files if f.is_file())


def _home() -> Path:
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named:
        return Path(named)
    data = os.environ.get("OPPORTUNITY_HOME")
    return (Path(data).expanduser() if data else Path.home() / ".opportunity") / "kernels"


VERSION = source_hash()
"""Version of all kernels; a state snapshot of another version is never restored."""

HOME = _home()
"""Where compiled code is kept."""

_config: Any = numba.config  # its names are made at run time, so no type checker sees them


def kernel(function: F) -> F:
    """Compile `function` without the GIL and without any freedom to reorder arithmetic.

    No fastmath and no parallel reductions: batch and streaming results are equal bit for bit
    only if every addition happens in the order in which it is written. Division by zero gives
    inf or NaN as in NumPy; kernels check what they divide by.
    """
    folder = module_hash(Path(function.__code__.co_filename))
    _used.add(folder)
    _config.CACHE_DIR = str(HOME / folder)  # numba reads it while it makes the dispatcher
    compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    resolve = compiled.get_call_template

    def by_type(args: Any, named: Any) -> Any:
        return resolve([unliteral(a) for a in args], {k: unliteral(a) for k, a in named.items()})

    # numba would compile a kernel anew for every constant that another kernel calls it with
    # (`mark` 36 times): a third of all compiling, for code that ran no faster.
    compiled.get_call_template = by_type
    return cast(F, compiled)


def prune() -> int:
    """Delete compiled code that no kernel imported so far would use; return how many folders went.

    Import all kernels first. Only folders named like a hash go: `NUMBA_CACHE_DIR` may hold other
    programs' code too.
    """
    named = [p for p in HOME.glob("*") if re.fullmatch("[0-9a-f]{16}", p.name)]
    stale = [p for p in named if p.is_dir() and p.name not in _used]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return len(stale)
