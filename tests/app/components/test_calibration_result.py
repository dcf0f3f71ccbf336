from dataclasses import replace

import numpy as np
import orjson
import pytest
from builders import random_bars
from studied import plan

from app.components.calibration_result import calibration_state, reliability_verdict
from app.components.island import dumps
from app.research_jobs import Calibrated
from opportunity.live.calibrate import calibrate


@pytest.fixture(scope="module")
def found():
    bars = {"BTC/USDT": random_bars(4_000)}
    return calibrate(bars, timeframes=["1h", "1d"], save=False, observations=[])


def test_every_timeframe_is_told_or_the_reason_why_not(found) -> None:
    told = orjson.loads(dumps(calibration_state("abc", Calibrated(plan(), found))))
    (frame,) = told["frames"]
    assert frame["name"] == "1h"
    assert len(frame["after"]["stated"]) == len(frame["after"]["count"]) > 2
    assert sum(frame["after"]["count"]) == found.measured["1h"].success.n
    assert frame["before"]["brier"] == pytest.approx(found.measured["1h"].final.brier)
    assert [name for name, _ in told["refused"]] == ["1d"]


def test_the_verdict_is_what_the_numbers_say(found) -> None:
    measured = found.measured["1h"]

    def told(ece, gain, brier):
        after = replace(measured.success, ece=ece, ece_chance=0.05, brier=brier, uncertainty=0.25)
        return reliability_verdict(replace(measured, success=after, gain_within=(gain, 1.0)))

    assert told(0.08, 0.1, 0.2)[0] == -1
    assert told(0.01, 0.1, 0.2)[0] == 1
    tone, words = told(0.01, 0.1, 0.26)
    assert (tone, "plain hit rate of {rate}" in words["text"]) == (0, True)
    assert told(0.01, -0.1, 0.2)[0] == 0
    assert np.isfinite(measured.success.skill)
