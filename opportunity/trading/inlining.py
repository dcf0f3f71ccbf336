"""Kernels that become a part of every kernel that calls them.

A trade goes through a dozen small functions, each of which takes a dozen arrays and records: to
hand them over costs more than what the functions do.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from opportunity.kernels import kernel

F = TypeVar("F", bound=Callable[..., Any])


def inlined(function: F) -> F:
    """Compile a function as `kernel` does, and into its callers instead of being called by them."""
    compiled: Any = kernel(function)
    compiled.targetoptions["forceinline"] = True
    found: F = compiled
    return found
