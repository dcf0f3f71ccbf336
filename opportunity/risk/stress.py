"""What bad days would do to the positions held now: an explicit list of scenarios.

A scenario is applied at once to the notionals at their marks, with no stop, no exit on the way
and no fee unless it says so. One more scenario is one more line in `SCENARIOS`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from opportunity.errors import CoverageError
from opportunity.market.bars import FloatArray
from opportunity.risk.covariance import ledoit_wolf
from opportunity.risk.held import Held
from opportunity.risk.returns import LEAST_ROWS, require_rows
from opportunity.risk.value_at_risk import Asked, deviation, parametric
from opportunity.trading.costs import Costs

LEADER: Final = "BTC"
"""The base whose fall the others are taken along by."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that may happen.

    Parameters
    ----------
    name : str
        Stable short name.
    assumes : str
        What it takes for granted, one sentence.
    moved : callable
        (held, costs) -> P&L of each position, shape (n_positions,). May raise CoverageError or
        ValueError where the history does not say.
    """

    name: str
    assumes: str
    moved: Callable[[Held, Costs], FloatArray]


@dataclass(frozen=True, slots=True)
class Stressed:
    """What a scenario would do.

    Parameters
    ----------
    name, assumes : str
        Of the scenario.
    pnl : float
        Quote currency, below 0 for a loss; NaN where the history does not say.
    fraction : float
        The same by equity; NaN also without equity.
    worst : str
        The position that loses most; empty where none loses.
    note : str
        Why it cannot be told; empty otherwise.
    """

    name: str
    assumes: str
    pnl: float
    fraction: float
    worst: str = ""
    note: str = ""


def stress(held: Held, costs: Costs | None = None) -> tuple[Stressed, ...]:
    """Return what every scenario of `SCENARIOS` would do to what is held."""
    given = Costs() if costs is None else costs
    return tuple(_stressed(scenario, held, given) for scenario in SCENARIOS)


def _stressed(scenario: Scenario, held: Held, costs: Costs) -> Stressed:
    if not held.symbols:
        return Stressed(scenario.name, scenario.assumes, 0.0, 0.0)
    try:
        moved = scenario.moved(held, costs)
    except (CoverageError, ValueError) as error:
        unknown = float("nan")
        return Stressed(scenario.name, scenario.assumes, unknown, unknown, note=str(error))
    pnl = float(moved.sum())
    fraction = pnl / held.equity if held.equity > 0 else float("nan")
    row = int(moved.argmin())
    worst = held.symbols[row] if moved[row] < 0 else ""
    return Stressed(scenario.name, scenario.assumes, pnl, fraction, worst)


def betas(held: Held) -> FloatArray:
    """Return by how much each position's asset moves when the leader moves by 1.

    Least squares on the returns: covariance with the leader by its variance.

    Raises
    ------
    CoverageError
        If there are too few returns.
    ValueError
        If the leader, or a position, has none.
    """
    moves = held.moves()
    assert held.returns is not None  # else moves() raises
    leaders = [s for s in held.returns.symbols if s.partition("/")[0] == LEADER]
    if not leaders:
        raise ValueError(f"returns must hold {LEADER} to tell betas, did not")
    require_rows(len(moves), LEAST_ROWS, "betas")
    leader = held.returns.pick(leaders[:1])[:, 0]
    centred = leader - leader.mean()
    variance = float(centred @ centred)
    if variance == 0.0:
        raise ValueError(f"{leaders[0]} must have moved to tell betas, did not")
    found: FloatArray = (moves - moves.mean(axis=0)).T @ centred / variance
    return found


def _all_move(by: float, held: Held, costs: Costs) -> FloatArray:
    return held.notionals * by


def _leader_moves(by: float, held: Held, costs: Costs) -> FloatArray:
    return held.notionals * np.maximum(betas(held) * by, -1.0)


def _volatility_grows(times: float, held: Held, costs: Costs) -> FloatArray:
    covariance = ledoit_wolf(held.moves()).covariance
    assert held.returns is not None  # else moves() raises
    asked = Asked(level=0.99, horizon=held.returns.bars_per_day)
    spread = deviation(held.notionals, covariance)
    if spread == 0.0:
        return np.zeros(held.notionals.size)
    loss = parametric(times * spread, asked).var
    # Euler shares: what each position adds to the deviation.
    slopes: FloatArray = covariance @ held.notionals
    moved: FloatArray = held.notionals * slopes * (-loss / spread**2)
    return moved


def _exit_costs(times: float, held: Held, costs: Costs) -> FloatArray:
    return -np.abs(held.notionals) * (costs.fee + times * costs.slip)


def _worst(days: float, held: Held, costs: Costs) -> FloatArray:
    held.moves()  # says which returns are missing
    assert held.returns is not None
    n_bars = max(math.ceil(days * held.returns.bars_per_day), 1)
    windows = held.returns.windows(n_bars)
    require_rows(len(windows), 1, f"{days:g} days in a row")
    rows = [held.returns.symbols.index(symbol) for symbol in held.symbols]
    moved: FloatArray = windows[:, rows] * held.notionals
    row: FloatArray = moved[int(moved.sum(axis=1).argmin())]
    return row


def _all(percent: int) -> Scenario:
    verb = "falls" if percent < 0 else "rises"
    name = f"all_{'down' if percent < 0 else 'up'}_{abs(percent)}"
    assumes = f"Every asset {verb} by {abs(percent)} % at once: all correlations are 1."
    return Scenario(name, assumes, partial(_all_move, percent / 100))


SCENARIOS: Final[tuple[Scenario, ...]] = (
    _all(-10),
    _all(-20),
    _all(-30),
    _all(20),
    Scenario(
        "btc_down_20",
        "BTC falls by 20 % and every asset moves along by its beta on BTC; none falls below 0.",
        partial(_leader_moves, -0.2),
    ),
    Scenario(
        "volatility_x3",
        "The loss of a day at the 99 % level, normal, when everything moves three times as much.",
        partial(_volatility_grows, 3.0),
    ),
    Scenario(
        "exit_cost_x5",
        "Everything is left at once at the marks, at five times slippage and spread, plus the fee.",
        partial(_exit_costs, 5.0),
    ),
    Scenario(
        "worst_day",
        "The worst 24 hours of the history of these positions, as they are held now, come again.",
        partial(_worst, 1.0),
    ),
    Scenario(
        "worst_week",
        "The worst seven days of the history of these positions, as they are held now, come again.",
        partial(_worst, 7.0),
    ),
)
