import pytest

from opportunity.storage.failures import DatabaseError
from opportunity.storage.idempotency import Answered, IdempotencyRepository


@pytest.fixture
def kept(engine):
    return IdempotencyRepository(engine, lambda: 7)


FIRST = Answered("d" * 64, 200, {"orders": [1, 2]})


def test_first_answer_of_a_key_counts(kept):
    assert kept.find("/close k") is None
    assert kept.keep("/close k", FIRST) == FIRST
    assert kept.keep("/close k", Answered("e" * 64, 200, {})) == FIRST
    assert kept.find("/close k") == FIRST
    assert kept.find("/flatten k") is None


def test_broken_database_is_a_database_error(kept, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE idempotent")
    for work in (lambda: kept.find("k"), lambda: kept.keep("k", FIRST)):
        with pytest.raises(DatabaseError):
            work()
