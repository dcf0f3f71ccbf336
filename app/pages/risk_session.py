"""What one open Risk page sees and does."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bokeh.document import Document
from orjson import loads

from app.components.account import Commanding
from app.components.breakers import BreakerPanel, breakers_state
from app.components.correlation_map import (
    MAPS,
    MOST_SHOWN,
    CorrelationMap,
    held_map,
    watched_map,
)
from app.components.exposure import ExposureView, exposure_state
from app.components.island import dumps
from app.components.language import phrase
from app.components.limits_form import MOST_CHANGES, LimitsForm, changes_state, limits_state
from app.components.position_sizer import PositionSizer
from app.components.risk_overview import RiskOverview, overview_state
from app.components.stress_table import StressTable, stress_state
from app.components.theme import ThemeName
from app.components.var_table import DAYS, LEVELS, VarTable, var_state
from app.pages.head import Head
from app.pages.pace import Events, News, Pace
from app.pages.risk_hands import RiskHands
from app.pages.risk_looks import Look, Looks
from app.pages.shell import asked as of_address
from opportunity.errors import ConflictError

if TYPE_CHECKING:
    from app.services import Services

LIMITS_CHANGED: Final = frozenset({"limits", "risk", "trade_rules"})


class RiskSession:
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
        self.hands = RiskHands(services, self.head.who)
        self.overview, self.exposure, self.stress = RiskOverview(), ExposureView(), StressTable()
        self.alike = CorrelationMap(self._ask, chosen=of_address("map", MAPS, self._usual_map()))
        self.tail, self.limits = VarTable(self._ask), LimitsForm(self._ask)
        self.breakers, self.sizer = BreakerPanel(self._ask), PositionSizer(self._ask)
        self.looks = Looks(services, doc, self._draw, lambda: self.head.seen)
        self._choose_tail(of_address("level", LEVELS, "0.95"), of_address("days", DAYS, "1"))
        self._choose_map(self.alike.chosen)
        self._names: tuple[str, ...] = ()
        self._sized, self._typed = 0, dict[str, Any]()  # number and content of the newest typing
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), "overview": self.overview, "exposure": self.exposure,
            "alike": self.alike, "tail": self.tail, "breakers": self.breakers,
            "stress": self.stress, "limits": self.limits, "sizer": self.sizer,
        }  # fmt: skip

    def open(self) -> None:
        """Begin to follow the account; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self.head.draw_trust()
        self._draw_account()
        self._draw_limits()
        self._offer()
        self.looks.open()

    def close(self) -> None:
        """Leave the hub and load nothing more."""
        self.pace.close()
        self.looks.close()

    def _usual_map(self) -> str:
        """Return the map that tells something: of what is held, if that is two assets or more."""
        state = self.services.paper.state()
        return "held" if state is not None and len(state.positions) > 1 else "watched"

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        if "scan" in news:
            self.head.draw_trust()
            self._offer()
        turned = {payload["what"] for topic, payload in events if topic == "config"}
        if turned & LIMITS_CHANGED:
            self._draw_limits()
        if turned or "portfolio" in news:
            self._draw_account()
            self.looks.load(soon=bool(turned & LIMITS_CHANGED))
        self.looks.again()

    def _draw_account(self) -> None:
        """Draw what is known at once, without a sum."""
        paper = self.services.paper
        self.breakers.draw(breakers_state(paper.state(), paper.limits()))

    def _draw_limits(self) -> None:
        paper = self.services.paper
        self.limits.draw(limits_state(paper.limits(), paper.limits_version))
        self.head.later.carry_out(lambda: paper.audit("limits", MOST_CHANGES), self._tell_changes)

    def _tell_changes(self, events: Any, failure: Exception | None) -> None:
        if failure is None:
            self.limits.changes = dumps(changes_state(events))

    def _offer(self) -> None:
        names = tuple(self.services.symbols)
        if names == self._names:
            return
        self._names = names
        self.sizer.offer(names, of_address("symbol", names, names[0] if names else ""))
        self._choose_map(self.alike.chosen)

    def _draw(self, look: Look) -> None:
        """Show one picture of the risk, all of one moment."""
        if look.error:
            # What the head shows already stays while nothing newer is known.
            self.overview.draw(loads(self.overview.state) | {"error": look.error})
            return
        if look.view is None or look.tails is None:
            self.overview.draw({})
            return
        self._size()
        view, limits = look.view, self.services.risk.manager.limits
        held, found = view.held, view.found
        self.overview.draw(overview_state(view.state, held, found, limits))
        self.exposure.draw(exposure_state(held, found.exposure, limits))
        self.stress.draw(stress_state(view.stressed, not held.symbols))
        wanted = self.looks.wanted
        self.tail.draw(var_state(look.tails, wanted.level, wanted.days, limits.max_var95))
        if look.alike is None:
            self.alike.draw(held_map(held, found.exposure, limits.max_correlation))
        else:
            one = look.alike
            self.alike.draw(
                watched_map(one.symbols, one.matrix, limits.max_correlation, dict(one.missing))
            )

    # -- what the user asks for ----------------------------------------------------------------

    def _ask(self, pressed: Mapping[str, Any]) -> None:
        later = self.head.later
        match pressed.get("type"):
            case "tail":
                self._choose_tail(str(pressed.get("level")), str(pressed.get("days")))
                self.looks.load(soon=True)
            case "map" if pressed.get("of") in MAPS:
                self._choose_map(str(pressed["of"]))
                self.looks.load(soon=True)
            case "reset_breaker":
                later.carry_out(
                    lambda: self.hands.reset_breaker(pressed), partial(_answer, self.breakers)
                )
            case "limits":
                later.carry_out(lambda: self.hands.set_limits(pressed), self._limits_set)
            case "size":
                n = pressed.get("n")
                self._sized, self._typed = n if isinstance(n, int) else 0, dict(pressed)
                self._size()

    def _size(self) -> None:
        """Size what was typed last; what was left empty follows the market and the account."""
        if self._typed:
            asked = self._typed
            self.head.later.carry_out(
                lambda: self.hands.size(asked), partial(self._tell_size, self._sized)
            )

    def _choose_tail(self, level: str, days: str) -> None:
        if level in LEVELS and days in DAYS:
            self.looks.wanted.level, self.looks.wanted.days = float(level), float(days)
            self.tail.offer(level, days)

    def _choose_map(self, of: str) -> None:
        self.alike.chosen = of
        names = tuple(self.services.symbols)[:MOST_SHOWN]
        self.looks.wanted.watched = names if of == "watched" else ()

    def _limits_set(self, text: Any, failure: Exception | None) -> None:
        if isinstance(failure, ConflictError):
            paper = self.services.paper
            self.limits.clash(paper.limits(), paper.limits_version)
            return
        if failure is None:
            self._draw_limits()
        _answer(self.limits, text, failure)

    def _tell_size(self, n: int, told: Any, failure: Exception | None) -> None:
        if n != self._sized:
            return  # something else was typed meanwhile
        if failure is not None:
            self.sizer.tell_plan({"n": n, "error": str(failure)})
            return
        self.sizer.tell_plan(told | {"n": n})
        self.head.later.carry_out(
            lambda: self.hands.together(told["symbol"], told["side"]),
            partial(self._tell_together, n),
        )

    def _tell_together(self, n: int, told: Any, failure: Exception | None) -> None:
        if n == self._sized:
            self.sizer.tell_together({"n": n} if failure is not None else told | {"n": n})


def _answer(part: Commanding, text: Any, failure: Exception | None) -> None:
    """Tell a part what became of its press."""
    if failure is None:
        part.answered(text)
    else:
        part.answered(error=phrase("Not done: {why}", why=str(failure)))
