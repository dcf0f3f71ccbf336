import numpy as np
import pytest
from said import english

from app.components.success import success_line, verdict
from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.strategy import Evaluation, evaluate


class Known:
    """A calibration that fits everything."""

    symbols = ("A", "B", "C")

    def __init__(self, success: float, problem: str = "") -> None:
        self.success, self.why = success, problem

    def problem(self, *_: object) -> str:
        return self.why

    def lacking(self, _: object) -> str:
        return "1h: too few outcomes"

    def of_streams(self, combined, _):
        return np.full(combined.net.shape, self.success)

    def of_symbols(self, combined, _, weights, direction):
        return np.where(direction != 0, self.success, np.nan)


def _evaluation(score: float, known: Known | None) -> Evaluation:
    shape = (1, 1)
    snapshot = MarketSnapshot(
        version=1, time=0, source="simulated", symbols=("BTC/USDT",), timeframes=("1h",),
        scores=np.full((*shape, len(DETECTOR_NAMES)), score),
        confidences=np.full((*shape, len(DETECTOR_NAMES)), 0.5), trend=np.zeros(shape),
        volatility=np.full(shape, 0.5), atr=np.ones(shape), closed=np.ones(shape, np.int64),
        price=np.ones(1), change_24h=np.zeros(1), volume_24h=np.full(1, 1e9),
        drawdown_rank=np.zeros(1), flagged=np.zeros(shape, bool), patterns=((),),
    )
    return evaluate(snapshot, exists=np.ones(9, bool), calibration=known)  # type: ignore[arg-type]


def _line(found: Evaluation, at: tuple[int, int]) -> str:
    return english(success_line(found, at))


@pytest.mark.parametrize(
    ("success", "words"),
    [
        (0.51, "about even odds"), (0.475, "about even odds"), (0.58, ""),
        (0.44, "more often wrong than right"),
    ],
)
def test_probabilities_near_a_half_are_called_even(success: float, words: str) -> None:
    assert english(verdict(success)) == words


def test_line_tells_the_stream_and_the_symbol() -> None:
    line = _line(_evaluation(0.8, Known(0.55)), (0, 0))
    assert line == "Success 1h 55 % · overall 55 % · calibrated on 3 symbols"
    line = _line(_evaluation(0.8, Known(0.49)), (0, 0))
    assert line == (
        "Success 1h 49 % · overall 49 %: about even odds · calibrated on 3 symbols"
    )


def test_verdicts_that_differ_stand_beside_their_own_number() -> None:
    known = Known(0.55)
    known.of_streams = lambda combined, _: np.full(combined.net.shape, 0.44)  # type: ignore[method-assign]
    line = _line(_evaluation(0.8, known), (0, 0))
    assert line == (
        "Success 1h 44 %: more often wrong than right · overall 55 % · calibrated on 3 symbols"
    )


def test_neutral_shows_none_and_uncalibrated_says_why() -> None:
    assert _line(_evaluation(0.0, Known(0.55)), (0, 0)) == ""
    assert _line(_evaluation(0.8, None), (0, 0)).startswith("Success uncalibrated: ")
    line = _line(_evaluation(0.8, Known(0.5, "of other weights")), (0, 0))
    assert line == "Success uncalibrated: of other weights"
    nan = _line(_evaluation(-0.8, Known(float("nan"))), (0, 0))
    assert nan == "Success uncalibrated: 1h: too few outcomes"
