
import pytest
import sqlalchemy as sa

from opportunity.errors import ConflictError
from opportunity.storage.database import DatabaseError
from opportunity.storage.studies import StudyRepository


@pytest.fixture
def studies(engine: sa.Engine) -> StudyRepository:
    return StudyRepository(engine)


def entries(n: int) -> list[dict]:
    return [{"i": i, "values": [0.1, None]} for i in range(n)]


def test_entries_come_back_in_order(studies):
    studies.append("a", 0, entries(900), 1)
    studies.append("a", 900, [{"i": "last"}], 2)
    studies.append("b", 0, entries(1), 3)
    assert studies.read("a") == [*entries(900), {"i": "last"}]
    assert studies.read("a", 900) == [{"i": "last"}]
    assert studies.read("none") == []
    assert studies.names() == ("a", "b")


def test_two_at_once_do_not_mix(studies):
    studies.append("a", 0, entries(5), 1)
    with pytest.raises(ConflictError, match="one at a time"):
        studies.append("a", 3, entries(5), 1)
    assert len(studies.read("a")) == 5


def test_forgotten_studies_are_gone(studies):
    studies.append("a", 0, entries(5), 1)
    assert studies.forget("a") == 5
    assert studies.forget("a") == 0
    assert studies.names() == ()


def test_names_have_a_length(studies):
    for name in ("", "x" * 129):
        with pytest.raises(ValueError, match="name of a study"):
            studies.append(name, 0, entries(1), 1)


def test_a_broken_database_is_told(studies, engine):
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE study_log"))
    for call in (
        lambda: studies.read("a"), lambda: studies.append("a", 0, entries(1), 1),
        lambda: studies.names(), lambda: studies.forget("a"),
    ):
        with pytest.raises(DatabaseError):
            call()
