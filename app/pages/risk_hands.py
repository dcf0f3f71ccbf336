"""What is pressed on the Risk page: limits, a breaker, the size of a position."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from app.auth.pages import act
from app.auth.roles import Caller
from app.components.account_state import why_not
from app.components.account_words import BREAKERS, word, words
from app.components.language import phrase
from app.components.position_sizer import plan_state, together_state
from opportunity.errors import unknown
from opportunity.risk.sizing import Ticket

if TYPE_CHECKING:
    from app.services import Services

MOST_WHY: Final = 500
FAR: Final = 0.2
"""Distance of an entry from the newest price, fraction of it, from which the page says so."""


class RiskHands:
    """Carries out presses of one page under the name of who looks.

    Parameters
    ----------
    services : Services
    who : Caller
        Who opened the page.
    """

    def __init__(self, services: "Services", who: Caller) -> None:
        self._services, self._who = services, who

    async def reset_breaker(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Close a breaker by hand; return what to say.

        Raises
        ------
        ValueError, OpportunityError
            If there is none of that name, or it cannot be done now.
        """
        name = str(asked.get("name", ""))
        if name not in BREAKERS:
            raise ValueError(unknown("breaker", name, BREAKERS))
        by = act(self._services, self._who)
        await self._services.paper.reset_breakers(name, by, _why(asked))
        return phrase("{name}: closed by hand.", name=word(words(BREAKERS, name)))

    async def set_limits(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Change limits if nobody was quicker; return what to say.

        Raises
        ------
        ConflictError
            If the version is not the one in force.
        ValueError, TypeError, OpportunityError
            If a value breaks its rule, or nothing can be stored.
        """
        values, version = asked.get("values"), asked.get("version")
        if not isinstance(values, Mapping) or not values:
            raise ValueError("values must name a limit or more, named none")
        if isinstance(version, bool) or not isinstance(version, int):
            raise ValueError(f"version must be a whole number, was {version!r}")
        by = act(self._services, self._who)
        await self._services.paper.set_limits(dict(values), by, version, _why(asked))
        return phrase("The limits are in force.")

    async def size(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Size a position of what is typed; what is left empty is taken from the market.

        Raises
        ------
        ValueError
            If something typed is no number, out of its range, or needed and not known.
        """
        risk, state = self._services.risk, self._services.paper.state()
        symbol = self._symbol(asked)
        known = risk.market(symbol)
        entry = _number(asked, "entry", known.price)
        if math.isnan(entry):
            raise ValueError("entry must be given while the market has no price yet, was not")
        account = _number(asked, "account", math.nan)
        own = math.isnan(account) and state is not None
        side, stop = _side(asked), _number(asked, "stop", math.nan)
        if math.isnan(stop):
            atr = known.atr if known.atr > 0.0 else None
            stop = risk.manager.stop_loss(entry, side or 1, atr).stop
        ticket = Ticket(
            entry, stop, state.equity if own and state is not None else account,
            _number(asked, "risk", 100.0 * risk.risk_per_trade) / 100.0, side,
            state.gross if own and state is not None else 0.0, known.atr, known.volume,
            _number(asked, "confidence", self._confidence(symbol)),
        )  # fmt: skip
        told = plan_state(await risk.plan(ticket))
        blocked = own and state is not None and not state.can_trade
        return told | {
            "symbol": symbol,
            "price": known.price,
            "far": bool(abs(entry / known.price - 1.0) > FAR) if known.price > 0.0 else False,
            "held_back": why_not(state.why_not) if blocked and state is not None else "",
        }

    async def together(self, symbol: str, side: int) -> dict[str, Any]:
        """Return how such a position would move with those that are held."""
        state = self._services.paper.state()
        held = [] if state is None else [
            (line.symbol, line.side) for line in state.positions if line.symbol != symbol
        ]  # fmt: skip
        return together_state(await self._services.risk.check_correlation((symbol, side), held))

    def _symbol(self, asked: Mapping[str, Any]) -> str:
        symbol = str(asked.get("symbol", ""))
        if symbol not in self._services.symbols:
            raise ValueError(unknown("symbol", symbol, self._services.symbols))
        return symbol

    def _confidence(self, symbol: str) -> float:
        """Return that of the newest scan; NaN while there is none."""
        found = self._services.evaluation()
        if found is None or symbol not in found.snapshot.symbols:
            return math.nan
        return float(found.row(found.snapshot.symbols.index(symbol)).confidence)


def _why(asked: Mapping[str, Any]) -> str:
    return str(asked.get("why", ""))[:MOST_WHY]


def _side(asked: Mapping[str, Any]) -> int:
    side = asked.get("side", 0)
    if side not in (-1, 0, 1):
        raise ValueError(f"side must be 1, -1 or 0, was {side!r}")
    return int(side)


def _number(asked: Mapping[str, Any], name: str, default: float) -> float:
    """Read a typed number, or what stands for an empty field."""
    text = str(asked.get(name) or "").strip().replace(",", "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, was {text[:40]!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, was {text[:40]!r}")
    return value
