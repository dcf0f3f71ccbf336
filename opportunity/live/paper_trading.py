"""How an agent trades on paper, as people turn it."""

from dataclasses import asdict, dataclass, field
from typing import Final

from opportunity.market.timeframe import Timeframe
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import RiskLimits
from opportunity.trading.rules import TradeRules
from opportunity.trading.setup import TradeSetup

DECISION_TIMEFRAME: Final[Timeframe] = "1h"
CASH: Final = 10_000.0


@dataclass(slots=True, eq=False)
class PaperTrading:
    """How an agent trades on paper, as people turn it.

    Parameters
    ----------
    rules : TradeRules
        Shared; a change decides from the next batch on, and exits by it from the one after.
    costs : Costs
    sizing : Sizing
    risk : RiskLimits
        Shared, as the rules.
    decision_timeframe : Timeframe
        At whose closes is decided; where it is not scored the next longer one that is.
    cash : float
        At the start, quote currency, > 0.
    """

    rules: TradeRules = field(default_factory=TradeRules)
    costs: Costs = field(default_factory=Costs)
    sizing: Sizing = field(default_factory=Sizing)
    risk: RiskLimits = field(default_factory=RiskLimits)
    decision_timeframe: Timeframe = DECISION_TIMEFRAME
    cash: float = CASH

    @classmethod
    def of(cls, setup: TradeSetup) -> "PaperTrading":
        """Return shared objects that begin with the values of a setup."""
        rules = {n: list(v) if isinstance(v, tuple) else v for n, v in asdict(setup.rules).items()}
        risk = RiskLimits(**setup.risk.as_dict())
        return cls(TradeRules(**rules), setup.costs, setup.sizing, risk, cash=setup.cash)

    def setup(self) -> TradeSetup:
        """Return the present values, frozen.

        Raises
        ------
        ValueError
            If rules do not fit each other or the sizing.
        """
        setup = TradeSetup(
            self.rules.record(), self.costs, self.sizing, self.risk.record(), self.cash
        )
        setup.terms()
        return setup
