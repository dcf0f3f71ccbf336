import numpy as np
import orjson
import pytest

from app.components.island import dumps
from app.components.reliability import ReliabilityCurve, reliability_state
from app.journal_figures import _without_bounds
from opportunity.scoring.reliability import reliability
from opportunity.scoring.trial import trial


def _found(n: int = 2_000):
    rng = np.random.default_rng(1)
    stated = rng.uniform(0.3, 0.7, n)
    return reliability(stated, (rng.random(n) < stated).astype(float), block=10, n_draws=50)


def test_the_parts_of_brier_sum_to_it() -> None:
    state = reliability_state(_found(), None, 2_000, 24, None)["success"]
    whole = state["uncertainty"] + state["miscalibration"] - state["resolution"] + state["within"]
    assert whole == pytest.approx(state["brier"], abs=1e-12)
    assert sum(b["n"] for b in state["bins"]) == state["n"] == 2_000
    assert all(b["low"] <= b["observed"] <= b["high"] for b in state["bins"])
    assert state["ece"] < state["ece_chance"]


def test_no_bounds_are_null() -> None:
    state = orjson.loads(dumps(reliability_state(_without_bounds(_found()), None, 1, 4, None)))
    assert state["success"]["ece_chance"] is None
    assert state["success"]["bounds"]["brier"] == [None, None]
    assert {b["low"] for b in state["success"]["bins"]} == {None}
    assert state["confidence"] is None


def test_the_trial_is_told_once_it_has_begun() -> None:
    none = trial(np.empty(0), np.empty(0), np.empty(0, np.int64), 1, 24)
    assert reliability_state(None, None, 0, 24, none)["trial"] is None
    n = 4_000
    at = np.arange(1, n + 1, dtype=np.int64)
    off = reliability_state(None, None, n, 24, trial(np.full(n, 0.9), np.zeros(n), at, 1, 24))
    assert off["trial"]["off"] is True
    assert off["trial"]["evidence"] > off["trial"]["limit"] == 20.0
    assert off["trial"]["shift"] == pytest.approx(-0.9)
    assert ReliabilityCurve().state == "{}"
