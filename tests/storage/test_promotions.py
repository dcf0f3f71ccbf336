from dataclasses import replace

import pytest
import sqlalchemy as sa

from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import DatabaseError
from opportunity.storage.promotions import LIVE, Promotion, PromotionRepository

GUARD = {"name": "trades", "value": 3.0, "threshold": 30.0, "passed": False, "text": "too few"}
DONE = Promotion(5, LIVE, dict(PRESETS["balanced"]), "ann", "a test", True, "ab" * 32, [GUARD])


@pytest.fixture
def kept(engine: sa.Engine) -> PromotionRepository:
    return PromotionRepository(engine)


def test_promotions_are_kept_newest_first(kept: PromotionRepository, engine: sa.Engine) -> None:
    assert kept.read() == ()
    kept.add(DONE)
    second = replace(DONE, at=6, target="mine", forced=False, why="")
    kept.add(second)
    assert kept.read() == (second, DONE)
    assert kept.read(1) == (second,)
    assert PromotionRepository(engine).read() == (second, DONE)


@pytest.mark.parametrize(
    ("change", "text"), [({"by": " "}, "by must name"), ({"why": ""}, "why must give")]
)
def test_a_forced_one_names_who_and_why(kept: PromotionRepository, change, text) -> None:
    with pytest.raises(ValueError, match=text):
        kept.add(replace(DONE, **change))
    assert kept.read() == ()


@pytest.mark.parametrize("limit", [0, 1_001])
def test_a_reading_is_bounded(kept: PromotionRepository, limit: int) -> None:
    with pytest.raises(ValueError, match=r"limit must be in 1\.\.1000"):
        kept.read(limit)


def test_a_database_that_takes_nothing_is_told(
    kept: PromotionRepository, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE promotion"))
    with pytest.raises(DatabaseError, match="promotion must be kept"):
        kept.add(DONE)
