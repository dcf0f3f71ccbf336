"""What one open Journal page sees and does: signals under filters, figures, challengers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import panel as pn
from bokeh.document import Document

from app.auth.pages import act
from app.components.challengers import Challengers
from app.components.decay import DecayTable
from app.components.decisions import DecisionsNotTaken
from app.components.island import dumps
from app.components.journal_summary import JournalSummary
from app.components.language import phrase
from app.components.outcomes import ALL, LED_BY, MADE, SIDES, TURNED, OutcomesTable
from app.components.reliability import ReliabilityCurve
from app.components.theme import ThemeName
from app.pages.head import Head
from app.pages.journal_reads import Filters, read_challengers, read_figures, read_signals
from app.pages.pace import Events, News, Pace
from app.pages.reading import Reading
from app.pages.shell import asked
from opportunity.entries import ENTRY_STOPS
from opportunity.errors import unknown
from opportunity.scoring.aftermath import HORIZONS
from opportunity.storage.decisions import Chosen
from opportunity.trading.records import STATUSES, TOO_SMALL

if TYPE_CHECKING:
    from app.services import Services

LOAD_S: Final = 5.0
"""Least time between two readings that nobody pressed for."""

MOST_WORDS: Final = 200
"""Characters of what people type."""

STOPS: Final = (*ENTRY_STOPS, *STATUSES[TOO_SMALL:])
_FILTERS: Final = ("symbol", "side", "made", "detector", "outcome", "stopped", "wanted")


class JournalSession:
    """View-model of one browser page: the components and one hub subscription.

    Parameters
    ----------
    services : Services
        The server's side.
    doc : Document
        The page's document.
    theme : str
        Theme of the first picture.
    """

    def __init__(self, services: "Services", doc: Document, theme: ThemeName) -> None:
        self.services, self.doc = services, doc
        self.head = Head(services, doc, theme)
        horizon = int(asked("horizon", tuple(map(str, HORIZONS)), "24"))
        stopped = asked("stopped", STOPS, "")
        self.summary = JournalSummary(horizon=horizon)
        self.outcomes = OutcomesTable(
            horizon=horizon, symbol=asked("symbol", tuple(services.symbols), ""),
            side=asked("side", SIDES, ALL), made=asked("made", MADE, ALL),
            detector=asked("detector", LED_BY, ALL), outcome=asked("outcome", TURNED, ALL),
            stopped=stopped,
        )  # fmt: skip
        self.decisions = DecisionsNotTaken(stopped=stopped)
        self.decay, self.reliability = DecayTable(), ReliabilityCurve()
        self.challengers = Challengers(self._command, self.head.later)
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self._read()
        self._wire()

    def _read(self) -> None:
        services, doc = self.services, self.doc

        def clock() -> float:
            return services.uptime_s

        self.signals = Reading(
            doc, lambda: read_signals(services, self.filters()), self._signals, self._no_signals,
            clock, LOAD_S,
        )
        self.figures = Reading(
            doc, lambda: read_figures(services, self.summary.horizon), self._figures,
            self._no_figures, clock, LOAD_S,
        )
        self.rivals = Reading(
            doc, lambda: read_challengers(services, self.challengers.chosen), self._rivals,
            self._no_rivals, clock, LOAD_S,
        )
        self._readings = (self.signals, self.figures, self.rivals)

    def _wire(self) -> None:
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")
        self.outcomes.param.watch(lambda *_: self._filtered(), list(_FILTERS))
        self.outcomes.param.watch(lambda e: self._stop(e.new), "stopped")
        self.decisions.param.watch(lambda e: self._stop(e.new), "stopped")
        self.summary.param.watch(lambda e: self._turn(e.new), "horizon")
        self.challengers.param.watch(lambda *_: self.rivals.ask(soon=True), "chosen")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), "summary": self.summary, "outcomes": self.outcomes,
            "decisions": self.decisions, "decay": self.decay, "reliability": self.reliability,
            "challengers": self.challengers,
        }  # fmt: skip

    def open(self) -> None:
        """Begin to follow the market; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self.head.draw_trust()
        self._offer()
        for reading in self._readings:
            reading.ask(soon=True)

    def close(self) -> None:
        """Leave the hub and load nothing more."""
        self.pace.close()
        for reading in self._readings:
            reading.close()

    def filters(self) -> Filters:
        """Return what the filters of the page ask for."""
        part = self.outcomes
        made = part.made
        chosen = Chosen(
            symbol=part.symbol or None,
            action=None if made in (ALL, "untraded") else made,
            stopped_by=part.stopped or None,
            side={"bullish": 1, "bearish": -1}.get(part.side),
            outcome=None if part.outcome == ALL else part.outcome,
            horizon=self.summary.horizon,
            untraded=made == "untraded",
        )
        return Filters(chosen, "" if part.detector == ALL else part.detector, part.wanted)

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        turned = {payload["what"] for topic, payload in events if topic == "config"}
        if "preset" in turned:
            self._offer()
        if "shadow" in turned:
            self.rivals.ask(soon=True)
        if "scan" in news:
            self.head.draw_trust()
            for reading in self._readings:
                reading.ask()
        for reading in self._readings:
            reading.again()

    def _signals(self, state: str) -> None:
        self.outcomes.param.update(state=state, busy=False, problem="")

    def _no_signals(self, why: str) -> None:
        self.outcomes.param.update(problem=why, busy=False)

    def _figures(self, states: Mapping[str, str]) -> None:
        with pn.io.hold(self.doc):
            self.summary.param.update(state=states["summary"], problem="")
            self.decisions.param.update(gates=states["gates"], state=states["untraded"])
            self.decay.state, self.reliability.state = states["decay"], states["reliability"]

    def _no_figures(self, why: str) -> None:
        self.summary.problem = why

    def _rivals(self, states: Mapping[str, str]) -> None:
        part = self.challengers
        if part.chosen in ("", states["chosen"]):  # else another one was pressed meanwhile
            part.param.update(story=states["story"], shown=states["chosen"])
        part.param.update(state=states["state"], problem="")

    def _no_rivals(self, why: str) -> None:
        self.challengers.problem = why

    # -- what the user asks for ----------------------------------------------------------------

    def _filtered(self) -> None:
        self.outcomes.busy = True
        self.signals.ask(soon=True)

    def _stop(self, name: str) -> None:
        """Show what one rule stopped in both parts; an unknown name is passed over."""
        known = name if name in STOPS else ""
        self.decisions.stopped = self.outcomes.stopped = known

    def _turn(self, horizon: int) -> None:
        self.outcomes.horizon = horizon
        self.figures.ask(soon=True)
        if self.outcomes.outcome != ALL:
            self._filtered()

    def _offer(self) -> None:
        names = [preset.name for preset in self.services.controls.presets()]
        self.challengers.presets = dumps(names)

    async def _command(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Begin or end a challenger."""
        shadows, by = self.services.shadows, act(self.services, self.head.who)
        name = str(wanted.get("name", ""))[:MOST_WORDS]
        match wanted.get("type"):
            case "add":
                presets = {one.name: one.weights for one in self.services.controls.presets()}
                preset = str(wanted.get("preset", ""))
                if preset not in presets:
                    raise ValueError(unknown("preset", preset, presets))
                note = str(wanted.get("note", ""))[:MOST_WORDS]
                await shadows.add(name, presets[preset], by, note)
                self.challengers.chosen = name
                return phrase("Challenger {name} runs.", name=name)
            case "stop":
                await shadows.remove(name, by)
                self.rivals.ask(soon=True)
                return phrase("Challenger {name} has ended; its history stays.", name=name)
        raise ValueError(f"command must be add or stop, was {str(wanted.get('type'))[:20]!r}")
