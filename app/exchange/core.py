"""What the parts of one exchange share: market, time, faults and names."""

from app.exchange.books import Books
from app.exchange.faults import make
from app.exchange.injector import FAULTS, Faults
from app.exchange.market import Market
from app.exchange.planner import Due, Planner
from app.exchange.view import View
from opportunity.errors import unknown
from opportunity.feeds.clock import Clock
from opportunity.market.symbols import compact


class Core:
    """One exchange, without a network.

    Parameters
    ----------
    market : Market
        What is traded.
    clock : Clock
        The exchange's time.
    """

    def __init__(self, market: Market, clock: Clock) -> None:
        self.market, self.clock = market, clock
        self.faults = Faults(clock.real, clock.now)
        self.view = View(market)
        self.planner = Planner(self.view, self.faults, clock.now())
        self.books = Books(market, clock.speed)
        self.ids = tuple(compact(s) for s in market.symbols)
        self.rows = {name: row for row, name in enumerate(self.ids)}
        self._latest = clock.now()
        self._due: list[Due] = []

    def advance(self) -> int:
        """Bring all that depends on time up to now; return the time, which never goes back."""
        self._latest = max(self._latest, self.clock.now())
        self._due += self.planner.advance(self._latest)
        return self._latest

    def order(self, payload: object) -> int:
        """Switch on the fault that JSON asks for; return its number.

        Raises
        ------
        ValueError
            If it is none, or concerns a symbol that is not traded here: it would never strike.
        """
        fault = make(FAULTS, payload)
        for symbol in fault.symbols:
            if symbol not in self.market.symbols:
                raise ValueError(unknown("symbol", symbol, self.market.symbols))
        return self.faults.add(fault)

    def due(self) -> list[Due]:
        """Return the corrections that began to hold since the last call."""
        due, self._due = self._due, []
        return due

    def told(self, now: int) -> int:
        """Return what the exchange says that the time is."""
        return now + self.faults.skew_ms()

    def trading(self, row: int) -> bool:
        """Tell whether a symbol trades."""
        return not self.faults.delisted(self.market.symbols[row])

    @property
    def stamp(self) -> dict[str, object]:
        """What every symbol says about where its numbers come from."""
        return {"source": self.market.source, "speed": self.clock.speed}
