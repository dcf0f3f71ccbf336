"""What a paper account holds and came to, as a value of a moment and as the Param object to watch.

Money is in quote currency, fractions are of 1, times are feed times in ms UTC.
"""

from dataclasses import asdict, dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Any, Final

import param

from opportunity.shared import Shared
from opportunity.storage.books import PAPER

if TYPE_CHECKING:
    import pandas as pd

OK: Final = "ok"
"""What `storage` says while everything is kept."""


@dataclass(frozen=True, slots=True)
class PositionLine:
    """A position; `pnl` is unrealised, with what its fills so far earned and cost.

    `stop` is NaN without one, `pnl_r` without a stop at the entry; `leaving` is the reason of an
    exit that waits, empty without one.
    """

    symbol: str
    side: int
    quantity: float
    entry: float
    mark: float
    stop: float
    targets: tuple[float, ...]
    targets_reached: int
    notional: float
    pnl: float
    pnl_r: float
    opened: int
    bars: int
    score: float
    confidence: float
    leaving: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order that waits; `side` is that of the fill, `limit` NaN at the market."""

    number: int
    time: int
    symbol: str
    side: int
    reason: str
    status: str
    limit: float


@dataclass(frozen=True, slots=True)
class BreakerLine:
    """A breaker; `until` and `tripped` are 0 where there is no such time."""

    name: str
    state: str
    until: int
    tripped: int
    n_trips: int
    text: str


@dataclass(frozen=True, slots=True)
class PortfolioState:
    """A paper account as it is known to be stored; `storage` says when newer is not stored yet.

    `can_trade` is whether entries are let through now, `why_not` what forbids them.
    """

    book: str
    epoch: int
    time: int
    source: str
    begun: int
    start_cash: float
    cash: float
    equity: float
    peak: float
    drawdown: float
    day_pnl: float
    day_pnl_pct: float
    exposure: float
    gross: float
    leverage: float
    fees: float
    slippage: float
    funding: float
    n_trades: int
    wins: int
    losses_in_row: int
    positions: tuple[PositionLine, ...]
    waiting: tuple[OrderLine, ...]
    breakers: tuple[BreakerLine, ...]
    can_trade: bool
    why_not: str
    storage: str


_SHOWN: Final = ("equity", "cash", "drawdown", "day_pnl", "exposure", "leverage", "n_trades")


def _number(doc: str) -> Any:
    return param.Number(0.0, doc=f"{doc} (read only).")


class Portfolio(Shared):
    """The agent's paper account, to watch and to bind to; the agent sets it, nobody else.

    See `PortfolioState` for what each one means; `state` is all of it as one value.
    """

    state = param.ClassSelector(
        class_=PortfolioState, default=None, allow_None=True, doc="All of it (read only)."
    )
    book = param.String(PAPER, doc="Name of the account (read only).")
    epoch = param.Integer(0, doc="Rises when it begins anew (read only).")
    time = param.Integer(0, doc="Feed time up to which bars are worked in, ms UTC (read only).")
    source = param.String("", doc="Stamp of the market (read only).")
    begun = param.Integer(0, doc="Feed time of its start, ms UTC (read only).")
    start_cash = _number("Cash at the start")
    cash = _number("Cash")
    equity = _number("Cash and positions at their marks")
    peak = _number("Highest equity since the drawdown breaker closed")
    drawdown = _number("Loss from the peak, fraction")
    day_pnl = _number("Gain since midnight UTC")
    day_pnl_pct = _number("The same as a fraction")
    exposure = _number("Net notional by equity")
    gross = _number("Notional of all positions")
    leverage = _number("The same by equity")
    fees = _number("Paid so far")
    slippage = _number("Lost to it so far")
    funding = _number("Got so far")
    n_trades = param.Integer(0, doc="Trades that are over (read only).")
    wins = param.Integer(0, doc="Those that won (read only).")
    losses_in_row = param.Integer(0, doc="Trades in a row that lost (read only).")
    positions = param.ClassSelector(class_=tuple, default=(), doc="`PositionLine`s (read only).")
    waiting = param.ClassSelector(class_=tuple, default=(), doc="`OrderLine`s (read only).")
    breakers = param.ClassSelector(class_=tuple, default=(), doc="`BreakerLine`s (read only).")
    can_trade = param.Boolean(False, doc="Entries are let through (read only).")
    why_not = param.String("", doc="What forbids them (read only).")
    storage = param.String(OK, doc="`ok`, or why nothing is stored now (read only).")

    def show(self, state: PortfolioState) -> None:
        """Take a newer state; watchers hear of it once."""
        self.param.update(state=state, **{f.name: getattr(state, f.name) for f in fields(state)})

    def to_frame(self) -> "pd.DataFrame":
        """Return the positions as a table, by symbol."""
        import pandas as pd

        names = [f.name for f in fields(PositionLine)]
        rows = [asdict(line) for line in self.positions]
        return pd.DataFrame(rows, columns=names).set_index("symbol")

    def _repr_html_(self) -> str:
        stamp = escape(self.source or "not started")
        figures = "".join(
            f"<tr><th>{name}</th><td>{getattr(self, name):,.6g}</td></tr>" for name in _SHOWN
        )
        held: Any = self.to_frame()[["side", "quantity", "entry", "mark", "stop", "pnl"]]
        return (
            f"<p>Paper account <b>{escape(self.book)}</b>, market: {stamp}</p>"
            f"<table>{figures}</table>{held.to_html()}"
        )
