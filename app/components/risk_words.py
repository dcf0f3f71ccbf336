"""Words of the risk page: limits with their rules, methods, scenarios, what a tile means."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from app.components.language import phrase
from opportunity.trading.risk import RiskLimits

Phrase = dict[str, Any]
Unit = Literal["share", "times", "count", "hours", "number"]
"""How a limit is written: as a percent, a multiple, a count, hours, or a plain number."""

RISK_PER_TRADE: Final = "risk_per_trade"


@dataclass(frozen=True, slots=True)
class LimitWords:
    """What a limit is called, what it does, and how it is written."""

    title: Phrase
    means: Phrase
    unit: Unit
    off: bool = False
    """Whether 0 switches it off."""

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the least and the largest value, both allowed; the risk must be above 0."""
        if name == RISK_PER_TRADE:
            return 0.0, 1.0
        low, high = RiskLimits.param[name].bounds
        return float(low), float(high)


SIZES: Final[dict[str, LimitWords]] = {
    RISK_PER_TRADE: LimitWords(
        phrase("Risk per trade"), phrase("Lost at the stop, of the equity"), "share"
    ),
    "max_position": LimitWords(
        phrase("One symbol"), phrase("Notional of one symbol, of the equity"), "share"
    ),
    "max_leverage": LimitWords(
        phrase("Leverage"), phrase("Notional of all positions by the equity"), "times"
    ),
    "max_positions": LimitWords(
        phrase("Positions"), phrase("Positions and entries at once"), "count"
    ),
    "max_volume": LimitWords(
        phrase("Volume share"), phrase("Notional of an entry, of the 24 h volume"),
        "share", off=True,
    ),
    "max_volatility": LimitWords(
        phrase("Volatility"), phrase("What one ATR may move, of the equity"), "share", off=True
    ),
    "kelly": LimitWords(
        phrase("Part of Kelly"), phrase("Part of the Kelly fraction that an entry risks"),
        "share", off=True,
    ),
    "payoff": LimitWords(
        phrase("Payoff"), phrase("What a win is worth in losses, for Kelly"), "number"
    ),
}
STOPS: Final[dict[str, LimitWords]] = {
    "max_daily_loss": LimitWords(
        phrase("Daily loss"), phrase("Since midnight UTC; ends the entries of the day"), "share"
    ),
    "max_drawdown": LimitWords(
        phrase("Drawdown"), phrase("From the peak; stops entries for the cool-down"), "share"
    ),
    "max_losses": LimitWords(
        phrase("Losses in a row"), phrase("Stop entries for the cool-down"), "count", off=True
    ),
    "cooldown_h": LimitWords(
        phrase("Cool-down"), phrase("How long drawdown and losses stop entries"), "hours"
    ),
    "stale_bars": LimitWords(
        phrase("Stale data"), phrase("Bars without news that stop entries"), "count", off=True
    ),
}
WARNINGS: Final[dict[str, LimitWords]] = {
    "max_var95": LimitWords(
        phrase("Value at risk"), phrase("Of a day at 95 %; warned of, not enforced"), "share"
    ),
    "max_correlation": LimitWords(
        phrase("Correlation"), phrase("Of two positions' P&L; warned of, not enforced"), "number"
    ),
}
GROUPS: Final[tuple[tuple[Phrase, dict[str, LimitWords]], ...]] = (
    (phrase("Size of an entry"), SIZES),
    (phrase("Breakers"), STOPS),
    (phrase("Warnings"), WARNINGS),
)
LIMITS: Final = {name: words for _, group in GROUPS for name, words in group.items()}
"""Every limit by its name."""

METHODS: Final[dict[str, tuple[Phrase, Phrase]]] = {
    "historical": (
        phrase("Historical"), phrase("Today's positions through every day of the past")
    ),
    "parametric": (
        phrase("Parametric"), phrase("Normal, from the shrunk covariance; the one of the limit")
    ),
    "cornish_fisher": (
        phrase("Cornish-Fisher"), phrase("The normal bent by skewness and fat tails")
    ),
    "monte_carlo": (
        phrase("Monte Carlo"), phrase("20,000 drawn markets; no price falls below 0")
    ),
}
"""Name and meaning of each method of value at risk."""

SCENARIOS: Final[dict[str, tuple[Phrase, Phrase]]] = {
    "all_down_10": (phrase("All fall 10 %"),
                    phrase("Every asset falls by 10 % at once: all correlations are 1.")),
    "all_down_20": (phrase("All fall 20 %"),
                    phrase("Every asset falls by 20 % at once: all correlations are 1.")),
    "all_down_30": (phrase("All fall 30 %"),
                    phrase("Every asset falls by 30 % at once: all correlations are 1.")),
    "all_up_20": (phrase("All rise 20 %"),
                  phrase("Every asset rises by 20 % at once: all correlations are 1.")),
    "btc_down_20": (phrase("BTC falls 20 %"), phrase(
        "BTC falls by 20 % and every asset moves along by its beta on BTC; none falls below 0.")),
    "volatility_x3": (phrase("Volatility three times"), phrase(
        "The loss of a day at the 99 % level, normal, when everything moves three times as much.")),
    "exit_cost_x5": (phrase("Costly exit"), phrase(
        "Everything is left at once at the marks, at five times slippage and spread, plus the fee."
    )),
    "worst_day": (phrase("Worst day again"), phrase(
        "The worst 24 hours of the history of these positions, as they are held now, come again.")),
    "worst_week": (phrase("Worst week again"), phrase(
        "The worst seven days of the history of these positions, as they are held now, come again."
    )),
}  # fmt: skip
"""Name and assumption of each scenario."""

PARTS: Final[dict[str, Phrase]] = {
    "var": phrase("value at risk"), "concentration": phrase("concentration"),
    "correlation": phrase("correlation"), "drawdown": phrase("drawdown"),
}  # fmt: skip
"""What the risk score is made of."""

LEVELS: Final[dict[str | None, Phrase]] = {
    "LOW": phrase("LOW"), "MEDIUM": phrase("MEDIUM"), "HIGH": phrase("HIGH"),
    "CRITICAL": phrase("CRITICAL"), None: phrase("not known"),
}  # fmt: skip

ALERTS: Final[dict[str, Phrase]] = {
    "PORTFOLIO_RISK_HIGH": phrase("The portfolio is risky as a whole"),
    "VAR_LIMIT_EXCEEDED": phrase("Value at risk is above its limit"),
    "CORRELATION_HIGH": phrase("Two positions move as one"),
    "CONCENTRATION_HIGH": phrase("One position has grown beyond its limit"),
    "LEVERAGE_HIGH": phrase("Leverage is above its limit"),
    "DRAWDOWN_HIGH": phrase("The drawdown is near or beyond its limit"),
    "DAILY_LOSS_HIGH": phrase("The loss of the day is near or beyond its limit"),
    "LIQUIDITY_LOW": phrase("A position takes long to leave"),
    "BREAKER_OPEN": phrase("A breaker is not closed"),
    "RISK_UNKNOWN": phrase("The risk of a position is not known"),
}
"""Titles of the alerts by their code."""

BOUND_WORDS: Final[dict[str, Phrase]] = {
    "risk": phrase("Risk at the stop"), "notional": phrase("One symbol"),
    "leverage": phrase("Leverage"), "liquidity": phrase("Volume share"),
    "volatility": phrase("Volatility"), "kelly": phrase("Part of Kelly"),
}  # fmt: skip
"""What holds a size."""
