"""What the components of the Research page share: modules, stylesheets, and words of a plan."""

from collections.abc import Callable
from typing import Any, ClassVar

import param

from app.backtest_plan import Plan
from app.components.island import HERE, Island, module, style
from opportunity.market.timeframe import utc_text


def part_module(name: str) -> str:
    """Return the JavaScript module of a component of research, after what all of them share."""
    return f"{module('research_parts')}\n{(HERE / f'{name}.js').read_text(encoding='utf-8')}"


def part_style(name: str) -> str:
    """Return the stylesheet of a component of research, after what all of them share."""
    return f"{style('research_parts')}\n{(HERE / f'{name}.css').read_text(encoding='utf-8')}"


class StudyResult(Island):
    """Base of what shows one kind of result.

    Parameters
    ----------
    on_test : callable
        `on_test(row)`: the user wants the weights of that row tested alone.
    """

    state = param.String("{}", doc="The result in words and numbers, JSON; empty without one.")

    _fill = "stretch_width"
    _stylesheets: ClassVar[list[str]] = []

    __abstract = True

    def __init__(self, on_test: Callable[[int], None] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._on_test = on_test

    def _handle_msg(self, data: Any) -> None:
        if self._on_test is not None and "test" in data:
            self._on_test(int(data["test"]))


def told_of(id: str, plan: Plan, source: str) -> dict[str, Any]:
    """Return what stands above every result: of which market and span it is."""
    return {
        "id": id,
        "title": ", ".join(plan.symbols),
        "about": f"{plan.timeframe} bars · {utc_text(plan.start)} to {utc_text(plan.end)}",
        "source": source,
        "simulated": "simulated" in source,
    }
