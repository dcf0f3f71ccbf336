"""Putting weights to use: only past the guards, or by force that is written down."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from opportunity.errors import ConflictError, OpportunityError
from opportunity.storage.promotions import LIVE, Promotion, PromotionRepository

if TYPE_CHECKING:
    from opportunity.backtest.guards import Guards
    from opportunity.backtest.history import History
    from opportunity.backtest.trials import TrialCounter
    from opportunity.market.bars import FloatArray
    from opportunity.trading.setup import TradeSetup

PEERS: Final = 40
"""Vectors drawn from all proportions, beside which the chosen one is judged for overfitting."""

Tell = Callable[[int, int], None]


class Taker(Protocol):
    """Puts weights to use: `app.controls.Controls`."""

    @property
    def weights_version(self) -> int:
        """Of the shared weights."""

    async def apply_weights(
        self, values: Mapping[str, float], by: str, expected: int | None = None
    ) -> int:
        """Make them the shared ones; return their version."""

    async def save_preset(self, name: str, values: Mapping[str, float], by: str) -> Any:
        """Save them under a name."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who puts weights to use, and how.

    Parameters
    ----------
    by : str
        For the audit.
    named : str
        Who asks, as the record of promotions keeps it; defaults to `by`.
    why : str
        The reason; a forced one needs it.
    force : bool
        Also where a guard fails.
    preset : str or None
        Save under this name; None: make them the shared ones.
    expected : int or None
        Version of the shared weights that the caller saw.
    """

    by: str
    named: str = ""
    why: str = ""
    force: bool = False
    preset: str | None = None
    expected: int | None = None


class RefusedError(OpportunityError):
    """Raised when a guard fails and nobody forces it; the text says which and why."""

    def __init__(self, guards: "Guards") -> None:
        super().__init__(guards.refusal)
        self.guards = guards


@dataclass(frozen=True, slots=True)
class Examined:
    """What the guards said of weights.

    Parameters
    ----------
    weights : dict of str to float
    guards : Guards
    dataset : str
        Digest of the data.
    n_trials : int
        Everything that was ever tried on it.
    """

    weights: dict[str, float]
    guards: "Guards"
    dataset: str
    n_trials: int


def examine(
    history: "History",
    weights: Mapping[str, float],
    setup: "TradeSetup",
    trials: "TrialCounter",
    tell: Tell = lambda done, total: None,
) -> Examined:
    """Ask the guards about weights.

    Parameters
    ----------
    history : History
        What to judge on; best one that the weights were not chosen on.
    weights : mapping
        Nine weights.
    setup : TradeSetup
        Under what is traded.
    trials : TrialCounter
        Knows how much was tried on this data, and counts this as well.
    tell : callable
        Called with runs done and in all; may raise to stop.
    """
    from opportunity.backtest.candidates import active_detectors, equal_weights, random_weights
    from opportunity.backtest.curve_metrics import sharpe
    from opportunity.backtest.engine import backtest
    from opportunity.backtest.guards import judge
    from opportunity.backtest.proof import daily_returns, evidence_of
    from opportunity.backtest.sharpe import trial_variance
    from opportunity.backtest.trials import count_run

    active = active_detectors(history)
    total, done = PEERS + 2, 0

    def run(vector: Any) -> Any:
        nonlocal done
        tell(done, total)
        done += 1
        return backtest(
            history, weights=vector, rules=setup.rules, costs=setup.costs, sizing=setup.sizing,
            risk=setup.risk, cash=setup.cash,
        )  # fmt: skip

    chosen, equal = run(dict(weights)), run(equal_weights(active))
    # The first of the drawn vectors is equal weights, which has been run.
    drawn = random_weights(PEERS + 1, active, seed=0)[1:]
    columns: list[FloatArray] = [daily_returns(chosen), daily_returns(equal)]
    columns += [daily_returns(run(vector)) for vector in drawn]
    tell(total, total)
    # Asking is a trial too: whoever asks with one after another until one passes was lucky.
    count_run(trials, history, chosen)
    counted = trials.count(history.digest)
    evidence = evidence_of(chosen, equal, counted.n, np.stack(columns, axis=1))
    apart = [counted.variance(evidence.returns.size)]
    apart.append(trial_variance(np.array([sharpe(column) for column in columns])))
    evidence = replace(evidence, variance=wider(apart))
    return Examined(dict(weights), judge(evidence), history.digest, counted.n)


def wider(variances: Sequence[float]) -> float:
    """Return the largest variance that is known; NaN without any.

    Trials that an optimiser drew to one place, or two that were nearly the same, were apart by less
    than what it chose from: their variance alone would make luck look small.
    """
    return max((v for v in variances if v == v), default=float("nan"))


def admit(
    examined: Examined,
    kept: PromotionRepository,
    at: int,
    *,
    by: str,
    why: str = "",
    force: bool = False,
    target: str = LIVE,
) -> Promotion:
    """Let weights pass, and write down who put them to use; putting them to use comes after.

    Parameters
    ----------
    examined : Examined
    kept : PromotionRepository
        Where it is written down.
    at : int
        Wall time, ms UTC.
    by, why : str
        Who asks, and the reason; a forced one needs it.
    force : bool
        Also where a guard fails.
    target : str
        ``live``, or the name of a preset.

    Raises
    ------
    RefusedError
        If a guard fails and it is not forced.
    ValueError
        If it is forced without a reason, or nobody is named.
    DatabaseError
        If it cannot be written down; then nothing may be put to use.
    """
    passed = examined.guards.passed
    if not passed and not force:
        raise RefusedError(examined.guards)
    done = Promotion(
        at, target, examined.weights, by, why, not passed, examined.dataset,
        guard_rows(examined.guards),
    )  # fmt: skip
    kept.add(done)
    return done


async def put_to_use(
    examined: Examined, kept: PromotionRepository, at: int, controls: Taker, order: Order
) -> tuple[Promotion, int | None]:
    """Let weights pass, write it down, and put them to use.

    Parameters
    ----------
    examined, kept, at
        As `admit`.
    controls : Controls
    order : Order

    Returns
    -------
    Promotion, int or None
        What was written down; the new version of the shared weights, None for a preset.

    Raises
    ------
    RefusedError, ValueError, DatabaseError
        As `admit`; nothing has changed then.
    ConflictError
        If the shared weights are others than the caller saw.
    """
    if order.preset is None and order.expected not in (None, controls.weights_version):
        raise ConflictError(
            f"version of the weights must be {order.expected}, was {controls.weights_version}: "
            "somebody else has changed them"
        )
    done = await asyncio.to_thread(
        admit, examined, kept, at, by=order.named or order.by, why=order.why, force=order.force,
        target=order.preset or LIVE,
    )  # fmt: skip
    if order.preset is not None:
        await controls.save_preset(order.preset, examined.weights, by=order.by)
        return done, None
    return done, await controls.apply_weights(
        examined.weights, by=order.by, expected=order.expected
    )


def guard_rows(guards: "Guards") -> list[Mapping[str, Any]]:
    """Return what the guards said as plain values; None for what was not measured."""
    return [
        {
            n: None if v != v else bool(v) if n == "passed" else v
            for n, v in asdict(guard).items()
            if n != "help"  # the refusal ends with it
        }
        for guard in guards
    ]
