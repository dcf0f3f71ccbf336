import copy
import math
import pickle
import threading

import numpy as np
import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import ThreadError
from opportunity.scoring.presets import PRESETS
from opportunity.scoring.weights import Weights


def test_default_is_balanced_and_named_weights_change():
    assert Weights().as_dict() == PRESETS["balanced"]
    assert Weights(smc=0.3).as_dict() == PRESETS["balanced"] | {"smc": 0.3}


def test_every_weight_is_documented_and_bounded():
    for name in DETECTOR_NAMES:
        parameter = Weights.param[name]
        assert parameter.doc
        assert parameter.bounds == (0, None)


def test_array_follows_the_detectors():
    weights = Weights(**{name: float(i) for i, name in enumerate(DETECTOR_NAMES)})
    np.testing.assert_array_equal(weights.as_array(), np.arange(9.0))
    assert weights.total == 36


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"smcc": 0.3}, "weight must be a known name, was 'smcc'. Did you mean 'smc'?"),
        ({"smc": -0.1}, "weight smc must be finite and >= 0, was -0.1"),
        ({"smc": math.nan}, "weight smc must be finite and >= 0, was nan"),
        ({"smc": math.inf}, "weight smc must be finite and >= 0, was inf"),
        ({"smc": "much"}, "weight smc must be a number, was 'much'"),
        ({"smc": True}, "weight smc must be a number, was True"),
    ],
)
def test_wrong_weights_are_named(values, message):
    for attempt in (lambda: Weights(**values), lambda: Weights().update(values)):
        with pytest.raises(ValueError, match="weight") as caught:
            attempt()
        assert str(caught.value) == message


def test_update_is_all_or_nothing_and_one_event():
    weights, seen = Weights(), []
    weights.param.watch(lambda *events: seen.append([e.name for e in events]), ["smc", "sar"])
    with pytest.raises(ValueError, match="sar"):
        weights.update(smc=0.5, sar=-1)
    assert weights == Weights()
    assert seen == []
    weights.update({"smc": 0.5}, sar=0.4)
    assert (weights.smc, weights.sar) == (0.5, 0.4)
    assert seen == [["smc", "sar"]]


def test_a_misspelt_attribute_raises():
    with pytest.raises(AttributeError, match="Did you mean 'smc'"):
        Weights().smcc = 0.3
    with pytest.raises(ValueError, match="weight smc must be finite"):
        Weights().smc = -1


def test_equal_by_value_kept_by_identity():
    first, second = Weights(smc=0.3), Weights(smc=0.3)
    assert first == second
    assert first != Weights()
    assert first != "balanced"
    assert len({first, second}) == 2


def test_normalized_keeps_the_proportions():
    weights = Weights(whales=0.05, news=0.05).normalized()
    assert weights.total == pytest.approx(1)
    assert weights.whales / weights.smc == pytest.approx(0.25)
    with pytest.raises(ValueError, match="sum of the weights must be > 0"):
        Weights(**dict.fromkeys(DETECTOR_NAMES, 0)).normalized()


def test_presets_by_name():
    assert Weights.preset("aggressive").as_dict() == PRESETS["aggressive"]
    with pytest.raises(ValueError, match="Did you mean 'balanced'"):
        Weights.preset("balance")


def test_only_the_owner_may_set_shared_weights():
    weights, errors = Weights(), []
    weights.bind_thread()

    def work():
        try:
            weights.update(smc=0.5)
        except ThreadError as error:
            errors.append(str(error))

    thread = threading.Thread(target=work, name="stranger")
    thread.start()
    thread.join()
    assert weights == Weights()
    assert "must be set from the thread that owns it, was set from 'stranger'" in errors[0]
    weights.update(smc=0.5)
    assert weights.smc == 0.5


def test_copies_are_independent():
    weights = Weights(smc=0.3)
    for twin in (copy.copy(weights), pickle.loads(pickle.dumps(weights))):
        assert twin == weights
        twin.smc = 0.4
        assert weights.smc == 0.3


def test_repr_shows_the_numbers():
    assert repr(Weights()).startswith("Weights(harmonic=0.15, ")


def test_text_shows_the_weights():
    assert "sar=0.4" in str(Weights(sar=0.4))
