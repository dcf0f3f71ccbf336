"""The calibrators of all timeframes together: whose scores they fit, and what they make of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import CalibrationError
from opportunity.kernels import VERSION
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import Timeframe
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.calibrator import Calibrator, Method
from opportunity.scoring.calls import Calls
from opportunity.scoring.combination import Combined, SideArray
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.scoring.measured import Measured, measure
from opportunity.scoring.scores import Scores
from opportunity.scoring.walk_forward import STEP_BARS, walk_forward

FILE: Final = "calibration.json"
"""Name of the file in the data folder."""

SAME_WEIGHTS: Final = 1e-6
"""Normalised weights that differ by no more are the same."""

LEAST_SHARE: Final = 0.5
"""Share of the timeframes' weight that must be calibrated for a symbol to be."""

UNCALIBRATED: Final = "uncalibrated"
NO_CALIBRATION: Final = "these scores have no calibration yet"


def family(source: str) -> str:
    """Tell whether bars of a source are ``simulated`` or ``recorded``."""
    return "simulated" if "simulated" in source.split(":") else "recorded"


@dataclass(frozen=True, eq=False)
class Calibration:
    """Success of scores under certain weights, by timeframe.

    Parameters
    ----------
    weights : ndarray of shape (n_detectors,)
        Detector weights whose scores were judged, summing to 1.
    kernels : str
        Version of the code that made those scores.
    source : str
        Stamp of the bars; see `family`.
    symbols : tuple of str
        Whose calls were pooled.
    calibrators : dict of str to Calibrator
        By timeframe.
    refused : dict of str to str
        Why a timeframe has none.
    measured : dict of str to Measured
        By timeframe, where it was asked for and calls could be judged.
    errors : dict of str to str
        Streams that could not be read; not stored.
    """

    weights: FloatArray
    kernels: str
    source: str
    symbols: tuple[str, ...]
    calibrators: dict[Timeframe, Calibrator]
    refused: dict[Timeframe, str] = field(default_factory=dict)
    measured: dict[Timeframe, Measured] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        frames = ", ".join(self.calibrators) or "no timeframe"
        return f"<Calibration of {frames} from {len(self.symbols)} {self.family} symbols>"

    @property
    def family(self) -> str:
        """``simulated`` or ``recorded``."""
        return family(self.source)

    @property
    def known(self) -> int:
        """When the last outcome was known that any calibrator was fitted on, ms UTC."""
        return max((c.known for c in self.calibrators.values()), default=0)

    def problem(
        self, weights: WeightsLike | None, source: str, time: int | None = None
    ) -> str:
        """Say why this does not fit scores; empty when it does.

        Parameters
        ----------
        weights, source
            Of the scores.
        time : int, optional
            As of when they are judged, ms UTC: what was learned from later bars must not speak.
        """
        if time is not None and time < self.known:
            return "the calibration knows what came after this time"
        if self.kernels != VERSION:
            return "the calibration is of another version of the detectors"
        if family(source) != self.family:
            return f"the calibration is of {self.family} bars, these are {family(source)}"
        wanted = normalised(weight_array(weights))
        if np.abs(wanted - self.weights).max() > SAME_WEIGHTS:
            return "the calibration is of other weights"
        return ""

    def lacking(self, timeframes: Sequence[str]) -> str:
        """Name the timeframes that have no calibrator, with the reason; empty without any."""
        return "; ".join(
            f"{t}: {self.refused.get(checked(t), 'not calibrated')}"
            for t in timeframes if t not in self.calibrators
        )

    def of_streams(self, combined: Combined, timeframes: Sequence[str]) -> FloatArray:
        """Return the success of what each stream calls, whether it has a direction or not.

        Parameters
        ----------
        combined : Combined
            Of shape (..., n_timeframes), in the order of `timeframes`.

        Returns
        -------
        ndarray of shape (..., n_timeframes)
            NaN where the timeframe is not calibrated or nothing is called.
        """
        success = np.full(combined.net.shape, np.nan)
        for i, name in enumerate(timeframes):
            calibrator = self.calibrators.get(checked(name))
            if calibrator is not None:
                # Not `...`: what has detectors on its last axis is of these streams, too.
                at = (*[slice(None)] * (combined.net.ndim - 1), i)
                stated = calibrator.predict(combined.take(at))
                success[..., i] = np.where(np.abs(combined.net[..., i]) > 0, stated, np.nan)
        return success

    def of_last(self, scores: Scores) -> tuple[float, str]:
        """Return the success of the last bar's direction, and why it is not known or nothing.

        Parameters
        ----------
        scores : Scores
            Of one stream, of one bar or more.
        """
        bars = scores.evidence.bars
        if bars.timeframe is None:
            return float("nan"), f"{UNCALIBRATED}: the timeframe is not known"
        if scores.side[-1] == 0:
            return float("nan"), "no direction"
        why = self.problem(scores.weights, bars.source, int(bars.close_time[-1]))
        why = why or self.lacking([bars.timeframe])
        if why:
            return float("nan"), f"{UNCALIBRATED}: {why}"
        last = self.calibrators[bars.timeframe].predict(scores.combined.take(slice(-1, None)))
        return float(last[0]), ""

    def of_symbols(
        self, combined: Combined, timeframes: Sequence[str], weights: FloatArray,
        direction: SideArray,
    ) -> FloatArray:
        """Return the success of each symbol's direction: the mean over its timeframes by weight.

        A timeframe that calls the other side gives what is left of its success once neither side
        was right; one that calls nothing gives half of that. NaN without a direction, and where
        timeframes of more than half of the weight are not calibrated.

        Parameters
        ----------
        combined : Combined
            Of shape (n_symbols, n_timeframes).
        weights : ndarray of shape (n_timeframes,)
            Across timeframes.
        direction : ndarray of int8, shape (n_symbols,)
        """
        success = self.of_streams(combined, timeframes)
        there = [self.calibrators.get(checked(t)) for t in timeframes]
        neither = np.array([np.nan if c is None else c.neither for c in there])
        side = np.sign(combined.net) * direction[:, None]
        along = np.where(side > 0, success, np.where(
            side < 0, np.maximum(0.0, 1.0 - neither - success), (1.0 - neither) / 2.0
        ))
        scored = np.where(np.isnan(combined.net), 0.0, weights)
        known = np.where(np.isnan(along), 0.0, scored)
        total, mass = scored.sum(axis=1), known.sum(axis=1)
        mean = (known * np.nan_to_num(along)).sum(axis=1) / np.where(mass > 0, mass, np.nan)
        return np.where((direction != 0) & (mass >= LEAST_SHARE * total), mean, np.nan)

    def plot(self, timeframe: str | None = None) -> Any:
        """Draw the reliability of one timeframe, or of all that were measured.

        Raises
        ------
        ValueError
            If nothing was measured.
        """
        from opportunity.plots.reliability import calibration_chart

        return calibration_chart(self, timeframe)

    # -- storing -------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, which `from_dict` reads."""
        return {
            "kernels": self.kernels,
            "source": self.source,
            "family": self.family,
            "symbols": list(self.symbols),
            "weights": dict(zip(DETECTOR_NAMES, self.weights.tolist(), strict=True)),
            "calibrators": {t: c.as_dict() for t, c in self.calibrators.items()},
            "refused": dict(self.refused),
            "measured": {t: m.as_dict() for t, m in self.measured.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
        """Read what `as_dict` returned.

        Raises
        ------
        CalibrationError
            If something is missing or of a wrong kind.
        """
        try:
            return cls(
                weights=weight_array({str(k): float(v) for k, v in values["weights"].items()}),
                kernels=str(values["kernels"]),
                source=str(values["source"]),
                symbols=tuple(str(s) for s in values["symbols"]),
                calibrators={
                    checked(t): Calibrator.from_dict(c) for t, c in values["calibrators"].items()
                },
                refused={checked(t): str(why) for t, why in values["refused"].items()},
                measured={checked(t): Measured.from_dict(m) for t, m in values["measured"].items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"calibration must be readable: {error}") from error

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(self.as_dict(), option=orjson.OPT_INDENT_2))
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Calibration | None":
        """Read what `save` wrote; None where there is no file.

        Raises
        ------
        CalibrationError
            If the file cannot be read.
        """
        if not path.is_file():
            return None
        try:
            values = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise CalibrationError(f"{path.name} must be readable: {error}") from error
        return cls.from_dict(values)


def normalised(weights: FloatArray) -> FloatArray:
    """Return weights that sum to 1; all 0 stay 0."""
    total = float(weights.sum())
    return weights / total if total > 0 else weights


def calibrated(
    calls: Mapping[Timeframe, Calls],
    weights: WeightsLike | None,
    source: str,
    symbols: Sequence[str],
    method: Method = "isotonic",
    step: int = STEP_BARS,
    measured: bool = True,
) -> Calibration:
    """Fit every timeframe, and measure it by walking forward.

    Parameters
    ----------
    calls : mapping of timeframe to Calls
        Pooled over symbols.
    weights : Weights, mapping or ndarray, optional
        Those that made the calls.
    source, symbols
        As of `Calibration`.
    method, step
        As of `walk_forward`.
    measured : bool
        Walk forward to measure; without, only the last fit is made, which is all that
        serving needs.
    """
    calibrators: dict[Timeframe, Calibrator] = {}
    refused: dict[Timeframe, str] = {}
    found: dict[Timeframe, Measured] = {}
    for name, made in calls.items():
        walk = walk_forward(made, method, step, folds=measured)
        if walk.calibrator is None:
            refused[name] = walk.refused
            continue
        calibrators[name] = walk.calibrator
        shown = walk.tested & made.pointed
        if shown.any():
            found[name] = measure(made.take(shown), walk.success[shown])
    return Calibration(
        normalised(weight_array(weights)), VERSION, source, tuple(symbols), calibrators, refused,
        found,
    )
