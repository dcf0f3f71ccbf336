"""Versions: Python and packages against what the project asks for and what it was tested with."""

import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final

from app.doctor.check import Check

PROJECT: Final = "opportunity"
LOCK: Final = Path(__file__).parents[2] / "requirements.lock"
"""Beside the source; an installed package has none."""

INSTALL: Final = "run `make setup`, or `pip install --upgrade opportunity`"

_NEED: Final = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9.]+)\s*$")
_LOCKED: Final = re.compile(r"^([a-z0-9.-]+)==([^\s;\\]+)", re.MULTILINE)

Version = Callable[[str], str]


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Check that Python is new enough."""
    told = ".".join(map(str, version))
    least = (3, 11)
    if version < least:
        return Check("python", "FAIL", f"{told}, 3.11 or newer is needed", "install Python 3.11")
    return Check("python", "OK", f"{told}, {sys.platform}")


def check_packages(version: Version = metadata.version, lock: Path = LOCK) -> Check:
    """Check that every package the project needs is there, new enough, and the tested version."""
    try:
        needs = metadata.requires(PROJECT) or []
    except metadata.PackageNotFoundError:
        return Check("packages", "WARN", "the project is not installed, only its source is here",
                     INSTALL)
    wrong, n = [], 0
    for need in needs:
        found = _NEED.match(need)  # extras carry a marker and do not match
        if found is None:
            continue
        n += 1
        have = _version(found[1], version)
        if have is None:
            wrong.append(f"{found[1]} is missing")
        elif _numbers(have) < _numbers(found[2]):
            wrong.append(f"{found[1]} is {have}, {found[2]} is needed")
    if wrong:
        return Check("packages", "FAIL", "; ".join(wrong), INSTALL)
    if not lock.is_file():
        return Check("packages", "OK", f"all {n} are there and new enough")
    others = _others(lock, version)
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        text = f"{n} there, other versions than the tested ones: {', '.join(others[:3])}{more}"
        return Check("packages", "WARN", text, "run `make setup` for those of requirements.lock")
    return Check("packages", "OK", f"all {n} are there, in the versions of requirements.lock")


def _others(lock: Path, version: Version) -> list[str]:
    """Return the installed packages that are of another version than the lock says."""
    tested: dict[str, list[str]] = {}  # several where a version of Python needs its own
    for name, wanted in _LOCKED.findall(lock.read_text(encoding="utf-8")):
        tested.setdefault(name, []).append(wanted)
    others = []
    for name, versions in tested.items():
        have = _version(name, version)
        if have is not None and have not in versions:
            others.append(f"{name} {have} (tested: {' or '.join(versions)})")
    return others


def _version(name: str, version: Version) -> str | None:
    try:
        return version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    parts = re.match(r"[0-9]+(\.[0-9]+)*", version)
    return tuple(int(p) for p in parts[0].split(".")) if parts else ()
