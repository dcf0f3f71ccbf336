from dataclasses import FrozenInstanceError

import pytest

from opportunity.live.config import AgentConfig, ScanStats
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules


def test_what_people_turned_is_swapped_whole_and_never_changed():
    config = AgentConfig(1, True, 30_000, Weights().as_array(), ScanRules().record())
    with pytest.raises(FrozenInstanceError):
        config.enabled = False
    assert ScanStats(5, 1.0, 6, 1) == ScanStats(5, 1.0, 6, 1)
