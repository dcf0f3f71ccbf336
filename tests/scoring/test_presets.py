import math

import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.presets import PRESETS, PROTECTED


@pytest.mark.parametrize("name", PRESETS)
def test_preset_names_every_detector_and_sums_to_one(name):
    assert tuple(PRESETS[name]) == DETECTOR_NAMES
    assert min(PRESETS[name].values()) >= 0
    assert math.fsum(PRESETS[name].values()) == pytest.approx(1, abs=1e-12)


def test_the_three_presets_are_protected():
    assert set(PRESETS) == PROTECTED == {"balanced", "aggressive", "conservative"}
    assert PRESETS["balanced"]["smc"] == 0.20
    assert PRESETS["aggressive"]["price_action"] == 0.18
    assert PRESETS["conservative"]["harmonic"] == 0.18
