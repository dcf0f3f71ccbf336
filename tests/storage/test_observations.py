from dataclasses import replace

import pytest
import sqlalchemy as sa

from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    Heartbeat,
    LongShort,
    OpenInterest,
    OrderBook,
    Trade,
    Transfer,
)
from opportunity.storage.database import DatabaseError, open_database
from opportunity.storage.observations import KINDS, ObservationRepository

RECORDS = [
    Headline(1, 5, "desk", "Title \u2013 with a dash", "Paper", ("BTC/USDT", "ETH/USDT")),
    Headline(1, 5, "desk", "Another", "Paper"),
    Funding(8, 8, "x", "BTC/USDT", 1e-4),
    Funding(8, 8, "x", "ETH/USDT", -3.75e-05),
    FearGreed(0, 9, "x", 25),
    OpenInterest(7, 9, "x", "BTC/USDT", 1234.5),
    LongShort(7, 9, "x", "BTC/USDT", 1.5),
    Transfer(6, 10, "chain", "BTC", 475.25, "in", "Exchange"),
    Heartbeat(11, 11, "desk", "headline"),
    Trade(12, 12, "x", "BTC/USDT", 0.1 + 0.2, 1.0, "buy"),
    OrderBook(12, 13, "x", "BTC/USDT", ((9.0, 1.0), (8.0, 2.0)), ((11.0, 2.0),)),
]


@pytest.fixture
def store(engine: sa.Engine) -> ObservationRepository:
    return ObservationRepository(engine, "simulated:7")


def test_records_come_back_as_they_went_in(store):
    assert store.append(RECORDS) == len(RECORDS)
    for kind in {type(r) for r in RECORDS}:
        found = store.known(kind, 0, 100)
        assert set(found) == {r for r in RECORDS if type(r) is kind}


def test_every_kind_of_observation_can_be_kept():
    assert {type(r) for r in RECORDS} <= set(KINDS.values())
    for kind in KINDS.values():
        assert {"event_time", "available_at", "source"} <= set(kind.__dataclass_fields__)


def test_a_record_heard_again_stays_known_from_the_first_time_on(store):
    store.append(RECORDS[:1])
    again = [replace(RECORDS[0], available_at=90), RECORDS[0]]
    assert store.append(again) == 0
    assert store.known(Headline, 0, 100) == RECORDS[:1]


def test_a_changed_record_is_another_one(store):
    first = FearGreed(0, 9, "x", 25)
    store.append([first])
    assert store.append([replace(first, value=26, available_at=12)]) == 1
    assert [r.value for r in store.known(FearGreed, 0, 100)] == [25, 26]


def test_known_goes_by_availability_and_not_by_event(store):
    late = [Headline(1, 50 - i, "desk", f"t{i}", "p") for i in range(5)]
    store.append(late)
    assert [r.available_at for r in store.known(Headline, 47, 50)] == [47, 48, 49]
    assert store.known(Headline, 0, 46) == []


def test_known_of_one_symbol(store):
    store.append(RECORDS)
    assert store.known(Funding, 0, 100, "ETH/USDT") == [RECORDS[3]]
    assert store.known(Transfer, 0, 100, "BTC") == [RECORDS[7]]


def test_markets_do_not_mix(store, engine):
    other = ObservationRepository(engine, "simulated:8")
    store.append(RECORDS)
    assert other.known(Funding, 0, 100) == []
    assert other.append(RECORDS) == len(RECORDS)
    assert other.forget(1_000) == len(RECORDS)
    assert len(store.known(Funding, 0, 100)) == 2


def test_many_records_in_one_go(store):
    many = [Funding(i, i, "x", "BTC/USDT", i * 1e-6) for i in range(1_500)]
    assert store.append(many[:1000]) == 1_000
    assert store.append(many) == 500
    assert store.known(Funding, 0, 10_000) == many
    assert store.forget(1_400) == 1_400
    assert store.known(Funding, 0, 10_000) == many[1_400:]


def test_records_survive_a_restart(store, engine, database_url):
    store.append(RECORDS)
    engine.dispose()
    opened = open_database(database_url)
    again = ObservationRepository(opened, "simulated:7")
    assert again.known(FearGreed, 0, 100) == [RECORDS[4]]
    opened.dispose()


def test_a_broken_database_is_told_and_keeps_nothing(store, engine):
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE observation"))
    with pytest.raises(DatabaseError, match="must be kept"):
        store.append(RECORDS)
    with pytest.raises(DatabaseError, match="must be readable"):
        store.known(Funding, 0, 1)
