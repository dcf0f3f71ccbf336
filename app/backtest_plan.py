"""What a request for a backtest means: everything that it leaves open, decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opportunity.backtest.span import chosen_frames, warm_from
from opportunity.contracts.backtest import MarketRequest
from opportunity.errors import OpportunityError
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import Timeframe, divides, length_ms
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SMALL: Final = 50_000
"""Base bars, warm-up included, up to which an answer is worth waiting for."""

MOST_BARS: Final = 3_000_000
MOST_WALKED: Final = 2_000_000_000
"""Bars times vectors of a sweep over several symbols, which takes the engine for each vector: about
a quarter of an hour."""

_AMOUNTS: Final = {"risk": 0.01, "equity": 0.1, "notional": 1_000.0, "all_in": 1.0}


class TooLongError(OpportunityError, ValueError):
    """Raised when a request asks for more bars than one run may walk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request with everything decided; plain values, so that a job may keep it.

    `named` tells that the timeframes were asked for: of those by default, the ones that lack
    history are left out.
    """

    symbols: tuple[str, ...]
    start: int
    end: int
    timeframe: Timeframe
    timeframes: tuple[Timeframe, ...]
    decision_timeframe: Timeframe | None
    weights: dict[str, float]
    setup: TradeSetup
    seed: int
    exchange: str | None
    context: bool
    named: bool = True

    @property
    def first(self) -> int:
        """Open of the first bar that is read: warm-up comes before the start."""
        return warm_from(self.start, self.timeframes)

    @property
    def n_bars(self) -> int:
        """Base bars to read at most."""
        return len(self.symbols) * (self.end - self.first) // length_ms(self.timeframe)

    @property
    def small(self) -> bool:
        """Whether an answer is worth waiting for."""
        return self.n_bars < SMALL

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "symbols": list(self.symbols), "start": self.start, "end": self.end,
            "timeframe": self.timeframe, "timeframes": list(self.timeframes),
            "decision_timeframe": self.decision_timeframe, "weights": dict(self.weights),
            **self.setup.as_dict(), "seed": self.seed, "exchange": self.exchange,
            "context": self.context,
        }  # fmt: skip


def plan_of(asked: MarketRequest, weights: Mapping[str, float]) -> Plan:
    """Decide everything that a request leaves open.

    Parameters
    ----------
    asked : MarketRequest
    weights : mapping
        Nine weights, of the request or the shared ones.

    Raises
    ------
    TooLongError
        If it is more than `MOST_BARS`.
    ValueError
        If fields that are valid each contradict each other.
    """
    if asked.end <= asked.start:
        raise ValueError(
            f"end_date must be later than start_date {asked.start_date}, was {asked.end_date}"
        )
    plan = Plan(
        symbols=tuple(dict.fromkeys(parse_symbol(name) for name in asked.names)),
        start=asked.start,
        end=asked.end,
        timeframe=asked.timeframe,
        timeframes=_frames(asked),
        decision_timeframe=asked.decision_timeframe,
        weights=dict(weights),
        setup=setup_of(asked),
        seed=asked.seed,
        exchange=asked.exchange,
        context=asked.context,
        named=asked.timeframes is not None,
    )
    if plan.n_bars > MOST_BARS:
        raise TooLongError(
            f"bars of one run must be at most {MOST_BARS:,} with warm-up, was {plan.n_bars:,}: "
            "ask for longer bars, a shorter span or shorter timeframes"
        )
    return plan


def setup_of(asked: MarketRequest) -> TradeSetup:
    """Return rules, costs, size, limits and cash of a request.

    Raises
    ------
    ValueError
        If they do not fit each other.
    """
    risk = {} if asked.risk is None else asked.risk.model_dump(exclude_none=True)
    setup = TradeSetup(
        _rules(asked), Costs(asked.fee, asked.slippage, asked.spread), _sizing(asked),
        RiskRecord(**risk), asked.initial_capital,
    )  # fmt: skip
    setup.terms()  # raises where a size follows from a stop and there is none
    return setup


def _frames(asked: MarketRequest) -> tuple[Timeframe, ...]:
    base = asked.timeframe
    if asked.timeframes is None:
        return chosen_frames(base, None, asked.decision_timeframe)
    frames = tuple(sorted(set(asked.timeframes), key=length_ms))
    odd = [t for t in frames if not divides(base, t)]
    if odd:
        raise ValueError(f"timeframes must be made of whole bars of {base}, was {odd[0]}")
    if asked.decision_timeframe is not None and asked.decision_timeframe not in frames:
        raise ValueError(
            f"decision_timeframe must be one of the timeframes {', '.join(frames)}, "
            f"was {asked.decision_timeframe}"
        )
    return frames


def _rules(asked: MarketRequest) -> TradeRecord:
    given = {} if asked.rules is None else asked.rules.model_dump(exclude_none=True)
    if "targets_r" in given and "shares" not in given:  # equal parts, as by default
        n = len(given["targets_r"])
        given["shares"] = [1 / max(n, 1)] * n
    for name in ("targets_r", "shares"):
        if name in given:
            given[name] = tuple(given[name])
    return TradeRecord(**given)


def _sizing(asked: MarketRequest) -> Sizing:
    if asked.sizing is None:
        return Sizing()
    kind, amount = asked.sizing.kind, asked.sizing.amount
    return Sizing(kind, _AMOUNTS[kind] if amount is None else amount, asked.sizing.whole_units)
