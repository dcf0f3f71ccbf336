import json
from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars
from calling import HOUR, made_calls

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import CalibrationError
from opportunity.kernels import VERSION
from opportunity.market.timeframe import TIMEFRAMES
from opportunity.scoring.calibration import (
    LEAST_SHARE,
    Calibration,
    calibrated,
    family,
    normalised,
)
from opportunity.scoring.ensemble import combine, score
from opportunity.scoring.weights import Weights

D = len(DETECTOR_NAMES)


def rising(strength):
    return 0.4 + 0.5 * strength


@pytest.fixture(scope="module")
def known():
    calls = made_calls(6_000, chance=rising)
    return calibrated(
        {"1h": calls, "4h": replace(made_calls(100), timeframe="4h")}, None, "binance", ["A/USDT"]
    )


def combined_of(nets):
    """Scores with the given nets: one detector says it all."""
    nets = np.asarray(nets, float)
    scores = np.full((*nets.shape, D), np.nan)
    scores[..., 4] = nets
    zero = np.zeros(nets.shape)
    return combine(scores, np.where(np.isnan(scores), np.nan, 0.5), zero, zero + 0.5)


def test_timeframes_are_fitted_or_refused_each_by_itself(known):
    assert list(known.calibrators) == list(known.measured) == ["1h"]
    assert "effective outcomes must be >= 200" in known.refused["4h"]
    assert known.lacking(["1h", "4h", "1d"]) == (
        f"4h: {known.refused['4h']}; 1d: not calibrated"
    )
    assert known.lacking(["1h"]) == ""
    assert known.kernels == VERSION
    assert known.weights.sum() == pytest.approx(1)
    assert repr(known) == "<Calibration of 1h from 1 recorded symbols>"


def test_measures_are_out_of_sample_and_of_calls_with_a_direction(known):
    calls = made_calls(6_000, chance=rising)
    measured = known.measured["1h"]
    later = calls.resolved & calls.pointed & (np.arange(6_000) >= 500)
    assert measured.success.n == measured.final.n == measured.confidence.n <= later.sum()
    assert measured.final.brier == pytest.approx(
        np.mean((calls.final - calls.right)[later][-measured.final.n:] ** 2)
    )
    assert measured.gain == pytest.approx(measured.final.brier - measured.success.brier)
    assert measured.gain_within[0] <= measured.gain <= measured.gain_within[1]
    assert measured.success.ece < measured.final.ece


def test_it_fits_only_scores_like_its_own(known):
    same = Weights().as_array() * 7  # only ratios matter
    assert known.problem(None, "binance") == known.problem(same, "replay:binance") == ""
    assert known.problem({"smc": 0.21}, "binance") == "the calibration is of other weights"
    nearly = Weights().as_array() + 5e-7
    assert known.problem(nearly, "binance") == ""
    assert known.problem(None, "simulated") == (
        "the calibration is of recorded bars, these are simulated"
    )
    other = replace(known, kernels="0" * 16)
    assert other.problem(None, "binance") == (
        "the calibration is of another version of the detectors"
    )


def test_what_came_later_must_not_speak(known):
    last = known.calibrators["1h"].known
    assert known.known == last
    assert known.problem(None, "binance", last) == ""
    assert known.problem(None, "binance", last - 1) == (
        "the calibration knows what came after this time"
    )


@pytest.mark.parametrize(
    ("source", "wanted"),
    [("simulated", "simulated"), ("replay:binance", "recorded"), ("binance", "recorded"),
     ("", "recorded"), ("replay:simulated", "simulated")],
)
def test_families(source, wanted):
    assert family(source) == wanted


def test_a_stream_s_success_is_its_calibrator_s(known):
    nets = np.array([[0.5, 0.5], [-0.5, 0.1], [0.0, 0.3], [np.nan, np.nan]])
    success = known.of_streams(combined_of(nets), ["1h", "4h"])
    curve = known.calibrators["1h"].knots
    np.testing.assert_allclose(success[:2, 0], np.interp(0.5, *curve))
    assert np.isnan(success[:, 1]).all()  # 4h is not calibrated
    assert np.isnan(success[2:]).all()


def test_there_may_be_more_timeframes_than_detectors(known):
    frames = TIMEFRAMES[: D + 2]
    last = replace(known, calibrators={frames[-1]: known.calibrators["1h"]})
    nets = np.full((2, len(frames)), 0.5)
    alone = known.of_streams(combined_of(nets[:, :1]), ["1h"])
    found = last.of_streams(combined_of(nets), frames)
    np.testing.assert_array_equal(found[:, -1:], alone)


def test_a_symbol_s_success_is_the_mean_of_its_timeframes(known):
    both = replace(known, calibrators={
        "1h": known.calibrators["1h"], "4h": replace(known.calibrators["1h"], neither=0.1),
    })
    nets = np.array([[0.5, 0.3], [0.5, -0.3], [0.5, 0.0], [0.5, np.nan], [0.5, 0.3]])
    weights, side = np.array([1.0, 3.0]), np.array([1, 1, 1, 1, 0], np.int8)
    success = both.of_symbols(combined_of(nets), ["1h", "4h"], weights, side)
    strong, weak = np.interp([0.5, 0.3], *known.calibrators["1h"].knots)
    np.testing.assert_allclose(success, [
        (strong + 3 * weak) / 4, (strong + 3 * (1 - 0.1 - weak)) / 4, (strong + 3 * 0.45) / 4,
        strong, np.nan,
    ])


def test_a_mirrored_market_has_the_same_success(known):
    nets = np.random.default_rng(1).uniform(-1, 1, (40, 1))
    side = np.sign(nets[:, 0]).astype(np.int8)
    one = known.of_symbols(combined_of(nets), ["1h"], np.ones(1), side)
    other = known.of_symbols(combined_of(-nets), ["1h"], np.ones(1), -side)
    np.testing.assert_array_equal(one, other)
    assert np.isfinite(one).all()


def test_a_symbol_needs_half_of_its_weight_calibrated(known):
    nets = np.full((1, 2), 0.5)
    side = np.ones(1, np.int8)
    for weight, there in ((LEAST_SHARE + 0.01, True), (LEAST_SHARE - 0.01, False)):
        success = known.of_symbols(
            combined_of(nets), ["1h", "4h"], np.array([weight, 1 - weight]), side
        )
        assert np.isfinite(success[0]) == there


def test_the_last_bar_of_scores(known):
    bars = replace(random_bars(400, seed=2), source="binance")
    late = replace(bars, time=bars.time - bars.time[0] + known.known // HOUR * HOUR)
    side = score(late).side
    n = 1 + int(np.flatnonzero((side != 0) & (np.arange(400) > 200))[0])
    scores = score(late[:n])
    success, note = known.of_last(scores)
    assert note == ""
    assert success == known.calibrators["1h"].predict(scores.combined)[-1]
    assert known.of_last(score(bars[:n]))[1].startswith("uncalibrated: the calibration knows")
    calm = 1 + int(np.flatnonzero((side == 0) & (np.arange(400) > 200))[0])
    assert known.of_last(score(late[:calm]))[1] == "no direction"
    slow = replace(late, time=late.time[0] // (4 * HOUR) * 4 * HOUR + 4 * HOUR * np.arange(400))
    slow = slow.label(timeframe="4h")
    assert known.of_last(score(slow[:n]))[1] == f"uncalibrated: 4h: {known.refused['4h']}"
    plain = replace(late, timeframe=None)
    assert known.of_last(score(plain[:n]))[1] == "uncalibrated: the timeframe is not known"


def test_it_survives_its_file(known, tmp_path):
    path = tmp_path / "deep" / "calibration.json"
    assert Calibration.load(path) is None
    known.save(path)
    again = Calibration.load(path)
    assert again.problem(None, "binance", known.known) == ""
    assert again.as_dict() == json.loads(path.read_bytes()) == known.as_dict()
    np.testing.assert_array_equal(
        again.of_streams(combined_of([[0.4]]), ["1h"]),
        known.of_streams(combined_of([[0.4]]), ["1h"]),
    )
    assert list(path.parent.iterdir()) == [path]
    written = json.loads(path.read_bytes())
    assert set(written) >= {"kernels", "weights", "source", "family", "symbols", "calibrators"}
    assert set(written["weights"]) == set(DETECTOR_NAMES)
    assert {"n_calls", "n_effective", "start", "end"} <= set(written["calibrators"]["1h"])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weights": 3}', "nonsense"])
def test_a_damaged_file_is_refused(text, tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(CalibrationError, match="must be readable"):
        Calibration.load(path)


def test_without_measures_only_the_last_fit_is_made():
    calls = made_calls(3_000, chance=rising)
    quick = calibrated({"1h": calls}, None, "binance", [], measured=False)
    assert quick.measured == {}
    np.testing.assert_array_equal(
        quick.calibrators["1h"].knots,
        calibrated({"1h": calls}, None, "binance", []).calibrators["1h"].knots,
    )


def test_weights_are_normalised():
    np.testing.assert_array_equal(normalised(np.array([1.0, 3.0])), [0.25, 0.75])
    np.testing.assert_array_equal(normalised(np.zeros(2)), [0, 0])
