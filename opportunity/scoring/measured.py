"""How well the success of one timeframe did, beside what score and confidence would have done."""

from dataclasses import dataclass
from typing import Any, Final

from opportunity.errors import CalibrationError
from opportunity.market.bars import FloatArray
from opportunity.scoring.calls import Calls
from opportunity.scoring.reliability import Interval, Reliability, improvement, reliability

STATED: Final = ("success", "final", "confidence")
"""What is taken for a probability."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How probabilities of one timeframe did out of sample, on the calls that had a direction.

    Parameters
    ----------
    success : Reliability
        Stated by walking forward.
    final, confidence : Reliability
        Before: the score along the side called, and the confidence, taken for probabilities.
    gain : float
        By how much the Brier score fell from `final` to `success`, with the bounds `gain_within`.
    """

    success: Reliability
    final: Reliability
    confidence: Reliability
    gain: float
    gain_within: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, which `from_dict` reads."""
        parts = {name: getattr(self, name).as_dict() for name in STATED}
        return parts | {"gain": self.gain, "gain_within": list(self.gain_within)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Measured":
        """Read what `as_dict` returned; CalibrationError where it cannot be."""
        try:
            low, high = values["gain_within"]
            parts = {name: Reliability.from_dict(values[name]) for name in STATED}
            return cls(**parts, gain=values["gain"], gain_within=(low, high))
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"measures must be readable: {error}") from error


def measure(calls: Calls, success: FloatArray) -> Measured:
    """Judge the success stated for calls by their outcomes, and what was there before.

    Parameters
    ----------
    calls : Calls
        Resolved ones.
    success : ndarray of shape (n_calls,)
        Stated before their outcomes were known.
    """
    gain, within = improvement(calls.final, success, calls.right, calls.at)
    stated = {"success": success, "final": calls.final, "confidence": calls.confidence}
    found = {name: reliability(p, calls.right, calls.at) for name, p in stated.items()}
    return Measured(**found, gain=gain, gain_within=within)
