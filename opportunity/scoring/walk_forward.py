"""Calibration as it would have gone: each call judged only by calls whose outcome was known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import CalibrationError
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import length_ms
from opportunity.scoring.calibrator import LEAST, Calibrator, Method, fit
from opportunity.scoring.calls import Calls

STEP_BARS: Final = 500
"""Bars from one fit to the next."""


@dataclass(frozen=True, slots=True, eq=False)
class WalkForward:
    """What walking forward gave.

    Parameters
    ----------
    calls : Calls
        What was walked over.
    success : ndarray of shape (n_calls,)
        Probability that was stated at the time; NaN before the first fold and where nothing was
        called.
    calibrator : Calibrator or None
        Fitted on every outcome known at the end: what serves from now on. None with too few.
    refused : str
        Why there is none; empty when there is one.
    n_folds : int
        Fits that spoke for at least one call.
    """

    calls: Calls
    success: FloatArray
    calibrator: Calibrator | None
    refused: str
    n_folds: int

    @property
    def tested(self) -> NDArray[np.bool_]:
        """True for the calls with a stated success and a known outcome."""
        return np.isfinite(self.success) & self.calls.resolved


def walk_forward(
    calls: Calls,
    method: Method = "isotonic",
    step: int = STEP_BARS,
    window: int | None = None,
    embargo: int = 0,
    least: float = LEAST,
    folds: bool = True,
) -> WalkForward:
    """Calibrate fold by fold.

    Folds begin every `step` bars from the first call on, wherever the data ends, so that bars
    that come later never change what was stated before. A call trains a fold once its whole
    horizon has passed before the fold begins, and its outcome is known by then: were it enough to
    be resolved, quick outcomes would count for more than slow ones.

    Parameters
    ----------
    calls : Calls
        Of one timeframe, in any order, pooled over symbols.
    method : str
        One of `calibrator.METHODS`.
    step : int
        Bars between two fits, >= 1.
    window : int, optional
        Train on calls of the last so many bars only; defaults to all of the past.
    embargo : int
        Bars left out between the last outcome that trains and the fold, >= 0.
    least : float
        Effective outcomes without which a fold stays uncalibrated.
    folds : bool
        Without folds only the last fit is made.

    Raises
    ------
    ValueError
        If a number is out of its range or the method unknown.
    """
    for name, value, low in (("step", step, 1), ("window", window, 1), ("embargo", embargo, 0)):
        if value is not None and value < low:
            raise ValueError(f"{name} must be >= {low} bars, was {value}")
    bar = length_ms(calls.timeframe)
    success = np.full(len(calls), np.nan)
    there = np.isfinite(calls.strength)
    if not there.any():
        return WalkForward(calls, success, None, "no call in the bars", 0)
    first, last = int(calls.at[there].min()), int(calls.at[there].max())
    known = calls.take(np.flatnonzero(calls.resolved))
    known = known.take(np.argsort(known.strength, kind="stable"))  # once, not in every fit
    matured = np.maximum(known.known, known.at + known.horizon * bar)
    oldest = 0 if window is None else window * bar
    fold = (calls.at - first) // (step * bar)
    n_folds = 0
    for k in range(1, (last - first) // (step * bar) + 1 if folds else 1):
        until = first + (k * step - embargo) * bar
        test = np.flatnonzero(there & (fold == k))
        train = (matured <= until) & (known.at > (until - oldest if oldest else 0))
        if not test.size:
            continue
        try:
            fitted = fit(known.take(train), method, least)
        except CalibrationError:
            continue  # too few yet: these calls stay uncalibrated
        success[test] = fitted.predict(calls.take(test))
        n_folds += 1
    kept = (matured <= last) & (known.at > (last - oldest if oldest else 0))
    try:
        return WalkForward(calls, success, fit(known.take(kept), method, least), "", n_folds)
    except CalibrationError as error:
        return WalkForward(calls, success, None, str(error), n_folds)
