import pytest

from opportunity.contracts.watchlists import MOST_SYMBOLS
from opportunity.storage.failures import DatabaseError
from opportunity.storage.watchlists import MOST_LISTS, Watchlist, WatchlistRepository


@pytest.fixture
def lists(engine):
    return WatchlistRepository(engine, lambda: 7)


def test_lists_come_back_by_name_in_their_order(lists):
    lists.write("majors", ("ETH/USDT", "BTC/USDT"))
    lists.write("a list", ())
    assert lists.read() == (
        Watchlist("a list", (), 7), Watchlist("majors", ("ETH/USDT", "BTC/USDT"), 7),
    )


def test_saving_again_replaces(lists):
    lists.write("majors", ("ETH/USDT",))
    assert lists.write("majors", ("BTC/USDT",)).symbols == ("BTC/USDT",)
    assert [kept.symbols for kept in lists.read()] == [("BTC/USDT",)]


def test_a_change_leaves_what_others_did(lists):
    assert lists.change("majors", ["BTC/USDT", "ETH/USDT"]).symbols == ("BTC/USDT", "ETH/USDT")
    lists.change("majors", ["SOL/USDT", "BTC/USDT"])
    assert lists.change("majors", remove=["ETH/USDT"]).symbols == ("BTC/USDT", "SOL/USDT")
    assert lists.change("empty").symbols == ()
    with pytest.raises(KeyError, match="Did you mean 'majors'"):
        lists.change("major", remove=["ETH/USDT"])
    with pytest.raises(ValueError, match=f"symbols must be at most {MOST_SYMBOLS}"):
        lists.change("majors", [f"S{i}/USDT" for i in range(MOST_SYMBOLS)])
    assert [len(kept.symbols) for kept in lists.read()] == [0, 2]


def test_deleted_once(lists):
    lists.write("majors", ())
    lists.delete("majors")
    assert lists.read() == ()
    lists.write("majors", ())
    with pytest.raises(KeyError, match="Did you mean 'majors'"):
        lists.delete("major")


def test_number_of_lists_is_bounded(lists):
    for i in range(MOST_LISTS):
        lists.write(f"list {i}", ())
    lists.write("list 0", ("BTC/USDT",))  # one of them is replaced all the same
    with pytest.raises(ValueError, match=f"watchlists must be at most {MOST_LISTS}"):
        lists.write("one more", ())
    assert len(lists.read()) == MOST_LISTS


def test_broken_database_is_a_database_error(lists, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE watchlist")
    for work in (lists.read, lambda: lists.write("a", ()), lambda: lists.delete("a")):
        with pytest.raises(DatabaseError):
            work()
