"""Calibrating from stored bars: what is learned, where it is kept, who finds it."""

from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars

from opportunity.errors import CoverageError
from opportunity.feeds.record_folder import FolderRecords
from opportunity.kernels import VERSION
from opportunity.live.calibrate import (
    calibrate,
    calibration_path,
    saved_calibration,
    wanted_calibration,
)
from opportunity.live.scanner import scan
from opportunity.market.observations import Headline, Heartbeat
from opportunity.market.store import BarStore
from opportunity.scoring.calibrator import fit
from opportunity.scoring.calls import calls_of, pooled
from opportunity.scoring.ensemble import score
from opportunity.strategy import ScanRules

LAX = ScanRules(type="any", threshold=0, min_confidence=0, max_risk="HIGH", min_volume_usd=0,
                exclude_neutral=False)
N = 6_000


def walk(seed, symbol):
    return replace(random_bars(N, seed=seed), symbol=symbol, source="binance")


@pytest.fixture(scope="module")
def held():
    return {s: walk(i, s) for i, s in enumerate(("AAA/USDT", "BBB/USDT", "CCC/USDT"))}


@pytest.fixture(scope="module")
def found(held):
    return calibrate(held, timeframes=["1h"], save=False)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path))
    return tmp_path


def test_calls_of_all_symbols_are_pooled(held, found):
    assert found.symbols == tuple(held)
    assert (found.source, found.family, found.kernels) == ("binance", "recorded", VERSION)
    assert (found.errors, found.refused) == ({}, {})
    calls = pooled([calls_of(score(bars)) for bars in held.values()])
    last = calls.at.max()
    past = calls.take(calls.resolved & (calls.at + 24 * 3_600_000 <= last))
    np.testing.assert_allclose(found.calibrators["1h"].knots, fit(past).knots, atol=1e-6)
    assert found.measured["1h"].success.ece < found.measured["1h"].final.ece


def test_a_store_gives_the_same_and_resamples(held, found, tmp_path):
    store = BarStore(tmp_path / "data", "binance")
    for bars in held.values():
        store.write(bars)
    heard = []
    stored = calibrate(tmp_path / "data", timeframes=["1h", "2h"], save=False,
                       progress=lambda *a: heard.append(a))
    assert list(stored.calibrators) == ["1h", "2h"]
    np.testing.assert_array_equal(stored.calibrators["1h"].knots, found.calibrators["1h"].knots)
    assert heard[-1] == (6, 6)


def test_what_was_known_besides_bars_counts_as_in_a_scan(tmp_path, monkeypatch):
    bars = walk(3, "AAA/USDT")
    at = bars.close_time[::24] - 1
    beats = [Heartbeat(t, t, "desk", "headline") for t in range(int(at[0]), int(at[-1]), 1_500_000)]
    said = [
        Headline(int(t), int(t), "desk", f"AAA {('surges', 'plunges')[i % 2]} {i}", "P",
                 ("AAA/USDT",))
        for i, t in enumerate(at)
    ]
    records = [*said, *beats]
    silent = calibrate({"AAA/USDT": bars}, timeframes=["1h"], save=False)
    heard = calibrate({"AAA/USDT": bars}, timeframes=["1h"], save=False, observations=records)
    calls = calls_of(score(bars, observations=records))
    last = calls.at.max()
    past = calls.take(calls.resolved & (calls.at + 24 * 3_600_000 <= last))
    np.testing.assert_allclose(heard.calibrators["1h"].knots, fit(past).knots, atol=1e-6)
    assert not np.array_equal(heard.calibrators["1h"].knots, silent.calibrators["1h"].knots)

    store = BarStore(tmp_path / "data", "binance")
    store.write(bars)
    asked = []
    monkeypatch.setattr(FolderRecords, "between", lambda self, kinds, *_: asked.append(kinds) or [
        r for r in records if isinstance(r, kinds)
    ])
    beside = calibrate(tmp_path / "data", timeframes=["1h"], save=False)
    assert asked
    np.testing.assert_array_equal(beside.calibrators["1h"].knots, heard.calibrators["1h"].knots)


def test_it_is_kept_where_a_scan_finds_it(held, home):
    assert saved_calibration() is None
    made = calibrate(held, timeframes=["1h"])
    assert calibration_path() == home / "calibration.json"
    assert saved_calibration().as_dict() == made.as_dict()
    report = scan(held, timeframes=["1h"], rules=LAX)
    assert report.evaluation.uncalibrated == ""
    pointed = report.evaluation.consensus.direction != 0
    np.testing.assert_array_equal(np.isfinite(report.evaluation.success), pointed)
    assert report.as_dict()["uncalibrated"] is None
    without = scan(held, timeframes=["1h"], rules=LAX, calibration=None)
    assert without.as_dict()["uncalibrated"] == (
        "uncalibrated: these scores have no calibration yet"
    )
    given = scan(held, timeframes=["1h"], rules=LAX, calibration=made, weights={"sar": 0.5})
    assert given.evaluation.uncalibrated == "uncalibrated: the calibration is of other weights"
    early = scan(held, timeframes=["1h"], rules=LAX, at=int(held["AAA/USDT"].time[-500]))
    assert "knows what came after" in early.evaluation.uncalibrated


def test_bars_before_a_time_know_nothing_later(held):
    at = int(held["AAA/USDT"].close_time[4_000])
    part = calibrate({s: b[:4_001] for s, b in held.items()}, timeframes=["1h"], save=False)
    until = calibrate(held, timeframes=["1h"], save=False, at=at)
    assert until.known <= at
    np.testing.assert_array_equal(until.calibrators["1h"].knots, part.calibrators["1h"].knots)


def test_too_few_outcomes_keep_nothing(held, home):
    few = calibrate(held, timeframes=["1h"], n_bars=150)
    assert few.calibrators == {}
    assert "effective outcomes must be >= 200" in few.refused["1h"]
    assert not calibration_path().exists()


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(held):
    some = calibrate(held, symbols=["aaa-usdt", "ZZZ/USDT"], timeframes=["1h"], save=False)
    assert some.symbols == ("AAA/USDT",)
    assert list(some.errors) == ["ZZZ/USDT 1h"]
    with pytest.raises(CoverageError, match="no stream could be read to calibrate"):
        calibrate(held, symbols=["ZZZ/USDT"], timeframes=["1h"])
    with pytest.raises(CoverageError, match="has no bars that make 5m"):
        calibrate(held, timeframes=["5m"])


@pytest.mark.parametrize(
    ("given", "text"),
    [({"timeframes": "1h"}, "timeframes must be a list"), ({"n_bars": 0}, "n_bars must be >= 1"),
     ({"timeframes": ["7h"]}, "7h"), ({"method": "x"}, "method must be a known name"),
     ({"weights": {"smx": 1}}, "Did you mean 'smc'")],
)
def test_wrong_arguments_are_refused(held, given, text):
    with pytest.raises(ValueError, match=text):
        calibrate(held, **({"timeframes": ["1h"]} | given))


def test_an_unreadable_file_is_no_calibration(home):
    (home / "calibration.json").write_text("{")
    assert saved_calibration() is None


def test_which_calibration_is_wanted(found):
    assert wanted_calibration(None) is None
    assert wanted_calibration(found) is found
    with pytest.raises(ValueError, match="calibration must be a Calibration"):
        wanted_calibration("kept")


@pytest.mark.realdata
def test_recorded_bars_are_honest_about_half(market_data):
    """What docs/calibration.md says: the score overstates, calibrated it is right as stated."""
    known = calibrate(market_data / "binance", ["BTC/USDT", "ETH/USDT"], ["1h"], save=False)
    measured = known.measured["1h"]
    assert measured.success.n > 40_000
    assert measured.final.ece > 0.12
    assert measured.confidence.ece > 0.2
    assert measured.success.ece < 0.04
    assert 0.249 < measured.success.brier < 0.2515 < measured.final.brier
    assert measured.gain_within[0] > 0.01


def test_bars_that_carry_their_symbol_are_enough(held):
    bars = held["AAA/USDT"]
    found = calibrate(bars, timeframes=["1h"], save=False)
    same = calibrate({"AAA/USDT": bars}, timeframes=["1h"], save=False)
    assert found.measured["1h"].gain == same.measured["1h"].gain
    assert found.refused == same.refused
    with pytest.raises(ValueError, match="bars must carry a symbol"):
        calibrate(bars.label(symbol=""), save=False)
