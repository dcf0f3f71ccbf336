"""Whether a result may be believed: guards against luck, short histories and many trials.

A guard that could not be measured has not passed: what is unknown is no proof.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.backtest.curve_metrics import NAN, deviation, sharpe
from opportunity.backtest.equal_weights import sharpe_difference
from opportunity.backtest.judge import LEAST_TRADES
from opportunity.backtest.pbo import BLOCKS, overfitting
from opportunity.backtest.sharpe import (
    Sample,
    deflated_sharpe,
    expected_best,
    min_track_record,
    probabilistic_sharpe,
    trial_variance,
)
from opportunity.market.bars import FloatArray


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a result must reach.

    Parameters
    ----------
    level : float
        Probability that the Sharpe ratio is above zero, above luck, above equal weights.
    pbo : float
        Largest probability of backtest overfitting; Bailey and others (2017) take 0.05.
    trades : int
        Fewest closed trades.
    """

    level: float = 0.95
    pbo: float = 0.05
    trades: int = LEAST_TRADES


THRESHOLDS: Final = Thresholds()

_LONGER: Final = "a longer span"
_FEWER: Final = "fewer trials"
_EARNING: Final = "weights or rules that earn something"


@dataclass(frozen=True, slots=True)
class Guard:
    """One question asked of a result.

    Parameters
    ----------
    name : str
        Such as ``deflated_sharpe``.
    value : float
        What was measured; NaN where it could not be.
    threshold : float
        What it must reach, or stay at or under.
    passed : bool
    text : str
        The answer as a sentence.
    help : str
        What could make it pass; of use where it has not.
    """

    name: str
    value: float
    threshold: float
    passed: bool
    text: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of a result, in the order in which they were asked."""

    guards: tuple[Guard, ...]

    @property
    def passed(self) -> bool:
        """Whether every guard passed."""
        return all(guard.passed for guard in self.guards)

    @property
    def refusal(self) -> str:
        """Why the result is not to be believed, and what could help; empty when all passed."""
        failed = [guard for guard in self.guards if not guard.passed]
        helps = dict.fromkeys(guard.help for guard in failed if guard.help)
        advice = [f"What could help: {', '.join(helps)}."] if helps else []
        return " ".join([guard.text for guard in failed] + advice)

    def __iter__(self) -> Iterator[Guard]:
        return iter(self.guards)

    def __getitem__(self, name: str) -> Guard:
        return next(guard for guard in self.guards if guard.name == name)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What guards are asked about.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_periods,)
        Of the chosen run, out of sample if it can be; days rather than short bars, whose returns
        are not independent (`curve_metrics.returns_by`).
    trades : int
        Closed trades of it.
    n_trials : int
        How many were tried on this data set, this one too, >= 1.
    sharpes : ndarray of float64, optional
        Sharpe ratios of the trials, per period of `returns`; those of `matrix` without it.
    variance : float, optional
        Of the Sharpe ratios of the trials, per period of `returns`, where they were summed up
        (`TrialCount.variance`); takes the place of `sharpes`. NaN: not known.
    matrix : ndarray of float64, shape (n_periods, n_configurations), optional
        Returns of all the configurations that one was chosen from.
    benchmark : ndarray of float64, shape (n_periods,), optional
        Returns of the same run with equal weights.
    seed : int
        Of the bootstrap.
    period : str
        What one of `returns` is of, for sentences: ``day``.
    """

    returns: FloatArray
    trades: int
    n_trials: int = 1
    sharpes: FloatArray | None = None
    variance: float | None = None
    matrix: FloatArray | None = None
    benchmark: FloatArray | None = None
    seed: int = 0
    period: str = "period"


def judge(evidence: Evidence, thresholds: Thresholds = THRESHOLDS) -> Guards:
    """Ask every guard about a result.

    Raises
    ------
    ValueError
        If a number is out of its range, or arrays do not fit each other.
    """
    if evidence.n_trials < 1:
        raise ValueError(f"n_trials must be >= 1, was {evidence.n_trials}")
    if evidence.trades < thresholds.trades:
        trades = f"{evidence.trades} trades are fewer than {thresholds.trades}: too few to judge."
    else:
        trades = f"{evidence.trades} trades are enough to judge."
    found = [
        Guard("trades", float(evidence.trades), float(thresholds.trades),
              evidence.trades >= thresholds.trades, trades, "more trades"),
    ]  # fmt: skip
    sample = Sample.of(evidence.returns) if deviation(evidence.returns) > 0.0 else None
    found += _of_sharpe(sample, evidence, thresholds.level)
    found.append(_pbo(evidence, thresholds.pbo))
    found.append(_equal_weights(evidence, thresholds.level))
    return Guards(tuple(found))


def _of_sharpe(sample: Sample | None, evidence: Evidence, level: float) -> list[Guard]:
    if sample is None:
        text = "Returns did not vary, so there is no Sharpe ratio."
        names = ("probabilistic_sharpe", "track_record", "deflated_sharpe")
        return [Guard(name, NAN, level, False, text, "more trades") for name in names]
    helps = _LONGER if sample.sharpe > 0.0 else _EARNING
    sure = probabilistic_sharpe(sample)
    needed = min_track_record(sample, level=level)
    return [
        Guard("probabilistic_sharpe", sure, level, sure >= level,
              f"The Sharpe ratio is {_sure('above zero', sure, level)}.", helps),
        _track_record(sample.n, needed, evidence.period),
        _deflated(sample, evidence, level),
    ]  # fmt: skip


def _track_record(n: int, needed: float, period: str) -> Guard:
    if needed != needed:
        text = "The Sharpe ratio is not above zero: no length of history would prove it."
        return Guard("track_record", float(n), NAN, False, text, _EARNING)
    enough = n >= needed
    word = "reach" if enough else "are fewer than"
    unit = period if n == 1 else f"{period}s"
    text = f"{n} {unit} {word} the {int(np.ceil(needed))} that this Sharpe ratio needs."
    return Guard("track_record", float(n), needed, enough, text, _LONGER)


def _deflated(sample: Sample, evidence: Evidence, level: float) -> Guard:
    n_trials = evidence.n_trials
    variance = 0.0
    if n_trials > 1:
        told = evidence.variance
        variance = trial_variance(_sharpes(evidence)) if told is None else told
    if variance != variance:
        text = f"Sharpe ratios of the {n_trials} trials are not known: it may have been luck."
        return Guard("deflated_sharpe", NAN, level, False, text)
    value = deflated_sharpe(sample, n_trials, variance)
    luck = expected_best(n_trials, variance)
    bar = f"above the {luck:.4f} that luck alone shows as the best of {n_trials:,} trials"
    if n_trials == 1:
        bar = "above the 0 that luck shows in one trial"
    text = (
        f"The Sharpe ratio, {sample.sharpe:.4f} a {evidence.period}, is "
        f"{_sure(bar, value, level)}."
    )
    helps = _EARNING if sample.sharpe <= 0.0 else _FEWER if n_trials > 1 else _LONGER
    return Guard("deflated_sharpe", value, level, value >= level, text, helps)


def _sharpes(evidence: Evidence) -> FloatArray:
    if evidence.sharpes is not None:
        return evidence.sharpes
    columns = () if evidence.matrix is None else evidence.matrix.T
    return np.array([sharpe(column) for column in columns])


def _pbo(evidence: Evidence, most: float) -> Guard:
    if evidence.n_trials == 1 and evidence.matrix is None:
        return Guard("pbo", 0.0, most, True, "One configuration was tried: nothing was chosen.")
    if evidence.matrix is None:
        text = "Overfitting was not measured: returns of the other configurations are not known."
        return Guard("pbo", NAN, most, False, text, "returns of the others (`peers_of`)")
    if len(evidence.matrix) < 2 * BLOCKS or evidence.matrix.shape[1] < 2:
        text = f"Overfitting cannot be measured on {evidence.matrix.shape} returns."
        return Guard("pbo", NAN, most, False, text)
    value = overfitting(evidence.matrix).probability
    word = "at or under" if value <= most else "over"
    text = f"The best falls to the lower half later with probability {value:.3f}, {word} {most:g}."
    return Guard("pbo", value, most, value <= most, text, _FEWER)


def _equal_weights(evidence: Evidence, level: float) -> Guard:
    name = "equal_weights"
    if evidence.benchmark is None:
        text = "It was not compared with equal weights."
        return Guard(name, NAN, level, False, text, "a run with equal weights")
    if np.array_equal(evidence.returns, evidence.benchmark):
        return Guard(name, 1.0, level, True, "It trades as equal weights do.")
    if not (deviation(evidence.returns) > 0.0 and deviation(evidence.benchmark) > 0.0):
        text = "Returns did not vary, so it cannot be compared with equal weights."
        return Guard(name, NAN, level, False, text)
    value = sharpe_difference(evidence.returns, evidence.benchmark, seed=evidence.seed).better
    text = f"It is {_sure('better than equal weights', value, level)}."
    helps = _LONGER if value > 0.5 else "equal weights, which did better here"
    return Guard(name, value, level, value >= level, text, helps)


def _sure(what: str, value: float, level: float) -> str:
    if value >= level:
        return f"{what} with probability {value:.3f}, at least the {level:g} asked for"
    return f"not shown to be {what}: probability {value:.3f}, less than the {level:g} asked for"
