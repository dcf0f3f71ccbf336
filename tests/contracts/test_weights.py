import pytest
from pydantic import ValidationError

from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.weights import PresetBody, WeightConfig, WeightValues
from opportunity.scoring.presets import PRESETS


def test_models_have_exactly_the_nine_detectors_in_order():
    assert tuple(WeightConfig.model_fields) == DETECTOR_NAMES
    assert tuple(WeightValues.model_fields) == DETECTOR_NAMES


@pytest.mark.parametrize("name", list(PRESETS))
def test_shipped_presets_pass_bare_and_wrapped(name):
    bare = WeightConfig.model_validate(PRESETS[name])
    assert bare == WeightConfig.model_validate({"weights": PRESETS[name]})
    assert bare.as_dict() == PRESETS[name]


def test_wrapped_with_anything_else_is_refused():
    with pytest.raises(ValidationError):
        WeightConfig.model_validate({"weights": PRESETS["balanced"], "owner": 1})


@pytest.mark.parametrize("name", ["a", "Grüße 2.0", "x" * 64, "under_score-dash"])
def test_names_of_presets(name):
    assert PresetBody(name=name, weights=PRESETS["balanced"]).name == name


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "..", " ", "a/b", "a\\b", "a\0b", "=1+1", "\u202ex"]
)
def test_names_that_are_none(name):
    with pytest.raises(ValidationError):
        PresetBody(name=name, weights=PRESETS["balanced"])
