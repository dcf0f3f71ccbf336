"""The risk manager: one set of limits, and every question that is asked under it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.errors import CoverageError
from opportunity.market.bars import Bars, FloatArray
from opportunity.risk.alerts import Alert, Measured, alerts_of
from opportunity.risk.assessment import RiskScore, fraction_of, highest_pair, score_of
from opportunity.risk.components import Components, components
from opportunity.risk.correlation import CorrelationCheck, check_correlation
from opportunity.risk.covariance import Shrunk, ledoit_wolf
from opportunity.risk.exposure import Exposure, exposure_of, hours_to_leave
from opportunity.risk.held import Held
from opportunity.risk.portfolio import PortfolioLike, held_of
from opportunity.risk.returns import Returns
from opportunity.risk.sizing import Plan, Ticket, plan_position
from opportunity.risk.stops import StopLoss, stop_loss
from opportunity.risk.stress import Stressed, stress
from opportunity.risk.value_at_risk import METHODS, Asked, Method, Tail, value_at_risk
from opportunity.trading.costs import Costs
from opportunity.trading.risk import RiskRecord
from opportunity.trading.setup import RiskLike, risk_record

USUAL_SHARE: Final = 0.01
"""Share of the volume that one may be when leaving, where the limit on it is off."""

UNKNOWN: Final = Tail(float("nan"), float("nan"))


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Assessment:
    """How a portfolio stands.

    Parameters
    ----------
    score : RiskScore
    tail95, tail99 : Tail
        Of one day, parametric, quote currency.
    var95 : float
        The first as a fraction of the equity; 0 when nothing is held, NaN when not known.
    exposure : Exposure
    parts : Components or None
        Where `tail95` comes from; None when not known.
    pair : tuple or None
        The two positions most alike, and the correlation of their P&L.
    hours : ndarray of shape (n_positions,)
        To leave each at the share of the volume that is allowed.
    alerts : tuple of Alert
        The worst first.
    """

    score: RiskScore
    tail95: Tail
    tail99: Tail
    var95: float
    exposure: Exposure
    parts: Components | None
    pair: tuple[str, str, float] | None
    hours: FloatArray
    alerts: tuple[Alert, ...]

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What would help, each once."""
        return tuple(dict.fromkeys(alert.advice for alert in self.alerts if alert.advice))


class RiskManager:
    """Answers for an account under limits; keeps no state of its own.

    Parameters
    ----------
    limits : RiskLimits or RiskRecord, optional
        Shared limits are read anew with every question.
    costs : Costs, optional
        Of leaving in a stress.
    """

    def __init__(self, limits: RiskLike = None, costs: Costs | None = None) -> None:
        self._limits = risk_record(None) if limits is None else limits
        self.costs = Costs() if costs is None else costs

    @property
    def limits(self) -> RiskRecord:
        """The limits of this moment."""
        return risk_record(self._limits)

    def __repr__(self) -> str:
        """Return the limits that are not the default ones."""
        usual = RiskRecord().as_dict()
        changed = {n: v for n, v in self.limits.as_dict().items() if v != usual[n]}
        return f"RiskManager({', '.join(f'{n}={v!r}' for n, v in changed.items())})"

    # -- one position ----------------------------------------------------------------------------

    def plan(self, ticket: Ticket) -> Plan:
        """Size a position under the limits; see `plan_position`."""
        return plan_position(ticket, self.limits)

    def stop_loss(
        self, entry: float, side: int, atr: float | None = None, levels: Sequence[float] = ()
    ) -> StopLoss:
        """Place a stop; see `stops.stop_loss`."""
        return stop_loss(entry, side, atr, levels)

    def check_correlation(
        self, new: tuple[str, int], existing: Sequence[tuple[str, int]], bars: Mapping[str, Bars]
    ) -> CorrelationCheck:
        """Hold a new position against those held; see `correlation.check_correlation`."""
        return check_correlation(new, existing, bars, self.limits.max_correlation)

    # -- a portfolio -----------------------------------------------------------------------------

    def hold(
        self,
        portfolio: PortfolioLike,
        returns: Returns | None = None,
        volumes: Mapping[str, float] | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> Held:
        """Return what an account holds as arrays; see `held_of`."""
        return held_of(portfolio, returns, volumes, missing)

    def value_at_risk(
        self, held: Held, level: float = 0.95, days: float = 1.0, method: Method = "parametric"
    ) -> Tail:
        """Return what may be lost in so many days; NaN and a note where it cannot be told."""
        asked = Asked(level, days * self._bars_per_day(held), method)
        if not held.symbols:
            return Tail(0.0, 0.0)
        try:
            return value_at_risk(held.notionals, held.moves(), asked)
        except (CoverageError, ValueError) as error:
            return Tail(UNKNOWN.var, UNKNOWN.es, str(error))

    def tails(self, held: Held, level: float = 0.95, days: float = 1.0) -> dict[Method, Tail]:
        """Return it by every method; what does not hold is NaN and says why."""
        return {method: self.value_at_risk(held, level, days, method) for method in METHODS}

    def shrunk(self, held: Held) -> Shrunk | None:
        """Return the covariance of what is held, per bar; None while it is not known."""
        if not held.symbols or not held.known:
            return None
        try:
            return ledoit_wolf(held.moves())
        except CoverageError:
            return None

    def components(self, held: Held, level: float = 0.95, days: float = 1.0) -> Components | None:
        """Take the parametric value at risk apart; None while it is not known."""
        if not held.symbols:
            return Components(0.0, np.empty(0), np.empty(0), np.empty(0))
        shrunk = self.shrunk(held)
        if shrunk is None:
            return None
        asked = Asked(level, days * self._bars_per_day(held))
        return components(held.notionals, shrunk.covariance, asked)

    def exposure(self, held: Held) -> Exposure:
        """Return where the money is; clusters are cut at the limit on correlations."""
        return exposure_of(held, self.limits.max_correlation)

    def hours_to_leave(self, held: Held) -> FloatArray:
        """Return how long leaving takes at the share of the volume that the limit allows."""
        return hours_to_leave(held, self.limits.max_volume or USUAL_SHARE)

    def stress(self, held: Held) -> tuple[Stressed, ...]:
        """Return what every scenario would do."""
        return stress(held, self.costs)

    def assess(self, portfolio: PortfolioLike, held: Held) -> Assessment:
        """Score a portfolio and say what is wrong with it."""
        tail95, tail99 = (self.value_at_risk(held, level) for level in (0.95, 0.99))
        exposure, parts = self.exposure(held), self.components(held)
        score = score_of(held, tail95, exposure, portfolio.drawdown)
        var95, pair = fraction_of(tail95.var, held.equity), highest_pair(held, exposure)
        hours = self.hours_to_leave(held)
        seen = Measured(
            portfolio, held, self.limits, score, var95, exposure, parts, pair, hours
        )
        return Assessment(
            score, tail95, tail99, var95, exposure, parts, pair, hours, alerts_of(seen)
        )

    @staticmethod
    def _bars_per_day(held: Held) -> float:
        return 1.0 if held.returns is None else held.returns.bars_per_day
