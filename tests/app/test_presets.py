from collections.abc import Iterator
from pathlib import Path

import pytest

from app.presets import Presets, check_weights
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.repositories import PresetRepository

BALANCED = PRESETS["balanced"]


@pytest.fixture
def presets(tmp_path: Path) -> Iterator[Presets]:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield Presets(PresetRepository(engine, lambda: 1))
    engine.dispose()


def test_built_in_ones_come_first_and_pass_their_own_check(presets: Presets) -> None:
    presets.save("aaa", BALANCED)
    assert [p.name for p in presets.all()] == [*PRESETS, "aaa"]
    for preset in presets.all():
        assert check_weights(preset.weights) == preset.weights


def test_saved_one_is_replaced_and_deleted(presets: Presets) -> None:
    presets.save("mine", BALANCED)
    presets.save("mine", PRESETS["aggressive"])
    assert presets.all()[-1].weights == PRESETS["aggressive"]
    presets.delete("mine")
    assert len(presets.all()) == len(PRESETS)


@pytest.mark.parametrize("name", ["balanced", "BALANCED"])
def test_built_in_one_is_refused(presets: Presets, name: str) -> None:
    with pytest.raises(PermissionError, match=name):
        presets.save(name, BALANCED)
    with pytest.raises(PermissionError, match=name):
        presets.delete(name)


@pytest.mark.parametrize("name", ["", " a", "../etc", "a" * 65])
def test_bad_name_is_refused_and_nothing_saved(presets: Presets, name: str) -> None:
    with pytest.raises(ValueError, match="name must be 1 to 64"):
        presets.save(name, BALANCED)
    assert len(presets.all()) == len(PRESETS)


def test_weights_come_back_in_detector_order() -> None:
    assert list(check_weights(dict(reversed(BALANCED.items())))) == list(BALANCED)


def test_old_vector_of_the_runbook_is_refused_with_its_sum() -> None:
    with pytest.raises(ValueError, match=r"was 1\.05"):
        check_weights(BALANCED | {"news": 0.05, "whales": 0.05})
