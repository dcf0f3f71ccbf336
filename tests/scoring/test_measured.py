import json

import numpy as np
import pytest
from calling import made_calls

from opportunity.errors import CalibrationError
from opportunity.scoring.measured import STATED, Measured, measure


@pytest.fixture(scope="module")
def calls():
    made = made_calls(3_000, chance=lambda strength: 0.45 + 0.2 * strength)
    return made.take(made.resolved)


def test_success_score_and_confidence_are_judged_on_the_same_calls(calls):
    found = measure(calls, 0.45 + 0.2 * calls.strength)
    assert {getattr(found, name).n for name in STATED} == {len(calls)}
    for name, stated in (("final", calls.final), ("confidence", calls.confidence)):
        assert getattr(found, name).brier == pytest.approx(np.mean((stated - calls.right) ** 2))
    assert found.gain == pytest.approx(found.final.brier - found.success.brier)
    assert 0 < found.gain_within[0] < found.gain < found.gain_within[1]
    assert found.success.ece < found.success.ece_chance < found.final.ece


def test_it_survives_json(calls):
    found = measure(calls, np.full(len(calls), 0.5))
    again = Measured.from_dict(json.loads(json.dumps(found.as_dict())))
    assert again.as_dict() == found.as_dict()


@pytest.mark.parametrize("broken", [{"gain_within": [1]}, {"final": None}, {"gain_within": None}])
def test_a_damaged_record_is_refused(calls, broken):
    values = measure(calls, np.full(len(calls), 0.5)).as_dict() | broken
    with pytest.raises(CalibrationError, match="readable"):
        Measured.from_dict(values)
