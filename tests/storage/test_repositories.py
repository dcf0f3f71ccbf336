from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from opportunity.errors import ConflictError
from opportunity.storage.repositories import (
    PresetRepository,
    SettingRepository,
    WeightsRepository,
)


def test_settings_survive_and_replace(engine: sa.Engine) -> None:
    settings = SettingRepository(engine, lambda: 1)
    settings.write(enabled=False, subscribed=["BTC/USDT"])
    settings.write(enabled=True)
    assert SettingRepository(engine, lambda: 2).read() == {
        "enabled": True, "subscribed": ["BTC/USDT"],
    }


def test_weights_are_versioned(engine: sa.Engine) -> None:
    weights = WeightsRepository(engine, lambda: 5)
    assert weights.newest() is None
    first = weights.add({"smc": 0.4}, "start")
    second = weights.add({"smc": 0.5}, "api", expected=first.version)
    assert weights.newest() == second
    assert (second.version, second.weights, second.set_by, second.created_at) == (
        first.version + 1, {"smc": 0.5}, "api", 5,
    )
    assert weights.read() == (second, first)
    assert weights.read(limit=1) == (second,)


def test_stale_weights_are_refused_and_nothing_is_stored(engine: sa.Engine) -> None:
    weights = WeightsRepository(engine, lambda: 5)
    first = weights.add({"smc": 0.4}, "start")
    weights.add({"smc": 0.5}, "api")
    with pytest.raises(ConflictError, match=f"was {first.version}"):
        weights.add({"smc": 0.6}, "page", expected=first.version)
    assert weights.newest().weights == {"smc": 0.5}


def test_of_fifty_writers_on_one_version_one_wins(engine: sa.Engine) -> None:
    weights = WeightsRepository(engine, lambda: 5)
    base = weights.add({"smc": 0.0}, "start").version

    def write(n: int) -> bool:
        try:
            weights.add({"smc": n / 100}, "api", expected=base)
        except (ConflictError, sa.exc.SQLAlchemyError):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(50)))
    assert sum(won) == 1
    assert weights.newest().version == base + 1


def test_presets_are_saved_replaced_and_deleted(engine: sa.Engine) -> None:
    presets = PresetRepository(engine, lambda: 5)
    presets.write("b", {"smc": 1.0})
    presets.write("a", {"sar": 1.0})
    presets.write("b", {"smc": 0.5})
    assert presets.read() == {"a": {"sar": 1.0}, "b": {"smc": 0.5}}
    assert list(presets.read()) == ["a", "b"]
    presets.delete("a")
    assert presets.read() == {"b": {"smc": 0.5}}


def test_unknown_preset_names_the_near_one(engine: sa.Engine) -> None:
    presets = PresetRepository(engine, lambda: 5)
    presets.write("momentum", {"smc": 1.0})
    with pytest.raises(KeyError, match="Did you mean 'momentum'"):
        presets.delete("momentun")
