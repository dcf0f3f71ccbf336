"""What stands in the header: the agent's switch, the line to the server, the theme."""

from collections.abc import Callable
from typing import Any, ClassVar

import param

from app.components.island import Island, dumps, module, style
from app.components.later import Later
from app.components.theme import PALETTES
from opportunity.scoring.trust import TrustSummary


class AgentToggle(Island):
    """A switch that shows and asks for the agent's state.

    Parameters
    ----------
    enabled : bool
        What the agent is; the page sets it.
    on_toggle : callable
        Called with the wanted state, perhaps to be awaited; may return the state that is. What
        it raises is shown beside the switch.
    later : Later, optional
        Of the page, where it is to be awaited.
    """

    enabled = param.Boolean(False, doc="Whether the agent reacts to closed bars.")
    answer = param.String("{}", doc="Outcome of the last press, JSON.")

    _esm = module("agent_toggle")
    _stylesheets: ClassVar[list[str]] = [style("agent_toggle")]

    def __init__(
        self, on_toggle: Callable[[bool], Any] | None = None, later: Later | None = None,
        **params: Any,
    ) -> None:  # fmt: skip
        super().__init__(**params)
        self._on_toggle, self._later = on_toggle, later or Later()
        self._presses = 0

    def _handle_msg(self, data: Any) -> None:
        wanted, ask = bool(data.get("enabled")), self._on_toggle
        if ask is None:
            self.enabled = wanted
            self._answered(None, None)
        else:
            self._later.carry_out(lambda: ask(wanted), self._answered)

    def _answered(self, found: Any, failure: Exception | None) -> None:
        if isinstance(found, bool):
            self.enabled = found
        self._presses += 1
        error = "" if failure is None else str(failure)
        self.answer = dumps({"n": self._presses, "error": error})


class ConnectionBadge(Island):
    """State of the browser's own WebSocket, with round trip, age and stale-data alarm.

    The browser opens `path`, pings it and reconnects with full jitter, without end; it loads the
    page again once the server answers with another `epoch` or the page's session is gone, and
    when `epoch` is changed.
    """

    path = param.String("ws/realtime", doc="Address of the WebSocket, relative to the page.")
    epoch = param.String("", doc="Which start of the server built this page.")
    beat = param.Integer(0, doc="Time of the newest price, market time, ms UTC; 0 before any.")
    speed = param.Number(1.0, bounds=(0, None), doc="Market seconds in a second of the wall clock.")
    stale_s = param.Number(10.0, bounds=(1, None), doc="Seconds without a price that are too many.")
    visible = param.Boolean(True, doc="Whether the browser shows the page now.")

    _esm = module("connection_badge")
    _stylesheets: ClassVar[list[str]] = [style("connection_badge")]


class TrustBadge(Island):
    """How far the data of the whole market can be trusted: lowest, median, and who is vetoed."""

    state = param.String("{}", doc="What is shown, JSON: lowest, median, vetoed, symbols.")

    _esm = module("trust_badge")
    _stylesheets: ClassVar[list[str]] = [style("trust_badge")]

    def draw(self, summary: TrustSummary | None) -> None:
        """Show a summary; None, or one without a symbol that scored, hides the badge."""
        known = summary is not None and summary.n_symbols > 0
        self.state = dumps(
            {
                "lowest": summary.lowest,
                "median": summary.median,
                "vetoed": summary.n_vetoed,
                "symbols": summary.n_symbols,
            }
            if known and summary is not None
            else {}
        )


class ThemeSwitch(Island):
    """Dark, light or high contrast; kept in the cookie `opportunity-theme`."""

    theme: Any = param.Selector(default="dark", objects=list(PALETTES), doc="Theme of the page.")

    _esm = module("theme_switch")
    _stylesheets: ClassVar[list[str]] = [style("theme_switch")]
