"""The parts of the Portfolio page: cards, curve, positions, history, and commands by hand."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import param

from app.components.figures import figured_module, figured_style
from app.components.island import Island, dumps

Text = str | Mapping[str, Any]
"""English, or a `phrase` with values."""


class Commanding(Island):
    """A part with buttons; what becomes of a press is told by `answered`.

    Parameters
    ----------
    on_command : callable
        Called with what was pressed, e.g. ``{"type": "close", "symbol": "BTC/USDT"}``.
    """

    __abstract = True

    state = param.String("{}", doc="What is shown, JSON; see `account_state`.")
    answer = param.String("{}", doc="Outcome of the last press, JSON: n, text, error.")

    _fill = "stretch_width"

    def __init__(
        self, on_command: Callable[[Mapping[str, Any]], None] | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        self._on_command = on_command
        self._presses = 0

    def draw(self, state: Mapping[str, Any]) -> None:
        """Show another state."""
        self.state = dumps(state)

    def answered(self, text: Text = "", error: Text = "") -> None:
        """Tell what became of the last press, as a text or a phrase."""
        self._presses += 1
        self.answer = dumps({"n": self._presses, "text": text, "error": error})

    def _handle_msg(self, data: Any) -> None:
        if self._on_command is not None and isinstance(data, Mapping):
            self._on_command(data)


class AccountSummary(Commanding):
    """Cards of the account, the breakers with their states, what holds entries back."""

    _esm = figured_module("account_summary")
    _stylesheets: ClassVar[list[str]] = [figured_style("account_summary")]


class AccountPositions(Commanding):
    """What is held and what waits; each position has a button that closes it."""

    _esm = figured_module("account_positions")
    _stylesheets: ClassVar[list[str]] = [figured_style("account_positions")]


class AccountHands(Commanding):
    """Flatten all and reset, each behind a word that has to be typed."""

    _esm = figured_module("account_hands")
    _stylesheets: ClassVar[list[str]] = [figured_style("account_hands")]


class AccountHistory(Island):
    """The newest trades and fills."""

    state = param.String("{}", doc="What is shown, JSON; see `account_state.history_state`.")
    problem = param.String("", doc="Why nothing newer could be read; empty while all is well.")

    _fill = "stretch_width"
    _esm = figured_module("account_history")
    _stylesheets: ClassVar[list[str]] = [figured_style("account_history")]


class EquityChart(Island):
    """Equity with the drawdown below; the last point moves with the market."""

    points = param.String("{}", doc="The curve, JSON; see `account_state.curve_state`.")
    newest = param.String("{}", doc="The moving last point, JSON: time, equity, drawdown, limit.")

    _fill = "stretch_width"
    _esm = figured_module("equity_chart")
    _stylesheets: ClassVar[list[str]] = [figured_style("equity_chart")]
