from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from opportunity.storage import price_alerts as module
from opportunity.storage.database import open_database
from opportunity.storage.failures import DatabaseError
from opportunity.storage.price_alerts import PriceAlertRepository, TooManyError
from opportunity.storage.trading_tables import price_alert


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine) -> PriceAlertRepository:
    return PriceAlertRepository(engine, "m", lambda: 5)


def test_what_is_added_is_read(store):
    first = store.add("BTC/USDT", "above", 100, "top", False)
    second = store.add("ETH/USDT", "below", 7.5, "", True)
    assert store.read() == (first, second)
    assert (first.active, first.fired_at, first.created_at, first.watched) == (True, None, 5, True)


def test_state_is_kept_and_one_is_deleted(store):
    made = store.add("BTC/USDT", "above", 100, "", False)
    fired = replace(made, active=False, fired_at=60_000)
    store.mark(fired)
    assert store.read() == (fired,)
    assert not fired.watched
    assert replace(fired, again=True).watched
    assert store.delete(made.id)
    assert not store.delete(made.id)
    assert store.read() == ()


def test_a_market_knows_nothing_of_another(engine, store):
    made = store.add("BTC/USDT", "above", 100, "", False)
    other = PriceAlertRepository(engine, "other", lambda: 5)
    assert other.read() == ()
    assert not other.delete(made.id)
    assert store.read() == (made,)


@pytest.mark.parametrize("price", [0, -1, float("nan"), float("inf")])
def test_prices_are_above_nothing(store, price):
    with pytest.raises(ValueError, match="price must be"):
        store.add("BTC/USDT", "above", price, "", False)


def test_there_is_a_bound(store, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    for _ in range(2):
        store.add("BTC/USDT", "above", 1, "", False)
    with pytest.raises(TooManyError, match="at most 2"):
        store.add("BTC/USDT", "above", 1, "", False)


def test_a_database_that_is_gone_is_said_in_words(engine, store):
    with engine.begin() as connection:
        price_alert.drop(connection)
    add = partial(store.add, "A/B", "above", 1, "", True)
    for call in (store.read, lambda: store.delete(1), add):
        with pytest.raises(DatabaseError, match="price alert"):
            call()


def test_the_same_on_postgresql(postgres_url):
    engine = open_database(postgres_url)
    store = PriceAlertRepository(engine, "m", lambda: 1_767_225_600_000)
    made = store.add("BTC/USDT", "above", 100, "", True)
    store.mark(replace(made, active=False, fired_at=1_767_225_600_000))
    assert [a.active for a in store.read()] == [False]
    assert store.delete(made.id)
    engine.dispose()
