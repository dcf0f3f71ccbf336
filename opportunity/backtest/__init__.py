"""Backtests and weight research: the live decisions over history, exact and fast.

The package is called by its name, too: ``op.backtest(bars, ...)`` runs `engine.backtest`. A
function of that name in `opportunity` would be replaced by this package as soon as any module of
it is imported, so the package itself answers to the call.
"""

import inspect
import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    # A property of the class comes before what the module has in its own namespace: `help` and
    # `?` ask for it, so they show the function.
    @property
    def __doc__(self) -> str:  # type: ignore[override] # a class has a plain text here
        from opportunity.backtest.engine import backtest

        lines = inspect.cleandoc(backtest.__doc__ or "").split("\n", 1)
        # Names and defaults only: the text below says of what kind they are.
        taken = [
            p.replace(annotation=p.empty) for p in inspect.signature(backtest).parameters.values()
        ]
        named = [str(p) for p in taken if p.kind is p.KEYWORD_ONLY]
        told = [str(p) for p in taken if p.kind is not p.KEYWORD_ONLY] + ["*", *named]
        call = "op.backtest(\n    " + ",\n    ".join(told) + ",\n) -> BacktestResult"
        return "\n".join([lines[0], "", call, *lines[1:]])

    @property
    def __signature__(self) -> inspect.Signature:
        from opportunity.backtest.engine import backtest

        return inspect.signature(backtest)

    def __call__(self, *args: Any, **named: Any) -> Any:
        from opportunity.backtest.engine import backtest

        return backtest(*args, **named)


sys.modules[__name__].__class__ = _Room
