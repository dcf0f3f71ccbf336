"""Compiled kernels: how many are kept, and what a first start costs."""

import ast
from pathlib import Path
from typing import Final

from app.doctor.check import Check
from opportunity.kernels import HOME, ROOMS, ROOT, module_hash

WHOLE_S: Final = 90.0
"""What compiling all of them takes on two cores, seconds."""

SOME: Final = 0.95
"""Share from which on nothing is worth a word: some are compiled only when they are used."""


def check_kernels(home: Path = HOME) -> Check:
    """Count the kernels whose compiled code is kept for the source as it is now."""
    n_all, n_kept = 0, 0
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            names = kernel_names(path.read_text(encoding="utf-8"))
            if names:
                n_all += len(names)
                n_kept += len(names & _kept(home / module_hash(path), path.stem))
    text = f"{n_kept} of {n_all} compiled"
    if n_kept >= SOME * n_all:
        return Check("kernels", "OK", f"{text}: a start takes some seconds")
    cost = WHOLE_S * (n_all - n_kept) / max(1, n_all)
    return Check("kernels", "WARN", f"{text}: the next start takes about {cost:.0f} s longer",
                 "run `opportunity warm` once")


def kernel_names(source: str) -> set[str]:
    """Return the functions of a module that are compiled."""
    if "kernel" not in source:
        return set()
    return {
        node.name for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id == "kernel" for d in node.decorator_list)
    }


def _kept(folder: Path, module: str) -> set[str]:
    """Return the functions of which an index of compiled code is there."""
    found = (p.name.removeprefix(f"{module}.") for p in folder.rglob(f"{module}.*.nbi"))
    return {name.rpartition("-")[0].rpartition(".")[2] or name for name in found}
