import pytest

from opportunity.feeds.exchange.history.asked import Asked, asked_path, read_asked, write_asked
from opportunity.market.files import Coverage
from opportunity.market.store import BarStore

HELD = Coverage(100, 900, 9)


@pytest.fixture
def path(tmp_path):
    return asked_path(BarStore(tmp_path, "binance"), "BTC/USDT", "1m")


def test_what_is_written_is_read(path):
    known = Asked().add((0, 50)).add((50, 70)).add_again((200, 300))
    assert known == Asked(((0, 70), (200, 300)), ((200, 300),))
    write_asked(path, known, HELD)
    assert read_asked(path, HELD) == known
    assert read_asked(path, Coverage(50, 950, 12)) == known  # more bars came from elsewhere
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "held", [Coverage(0, 0, 0), Coverage(100, 900, 8), Coverage(100, 800, 9), Coverage(200, 900, 9)]
)
def test_nothing_is_known_when_bars_went(path, held):
    write_asked(path, Asked().add((0, 1000)), HELD)
    assert read_asked(path, held) == Asked()


def test_a_stream_without_bars_is_remembered_too(path):
    write_asked(path, Asked().add((0, 1000)), Coverage(0, 0, 0))
    assert read_asked(path, Coverage(0, 0, 0)).once == ((0, 1000),)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"version":2,"held":[0,0,0],"once":[],"twice":[]}',
        b'{"version":1,"held":[0,0],"once":[],"twice":[]}',
        b'{"version":1,"held":[0,0,0],"once":[[1]],"twice":[]}',
        b'{"version":1,"held":[0,0,0],"once":[["a","b"]],"twice":[]}',
        b'{"version":1,"held":[0,0,0],"once":[[1.5,2]],"twice":[]}',
        b'{"version":1,"held":"abc","once":[[1,2]],"twice":[]}',
        b"\xff\xfe",
    ],
)
def test_damaged_file_is_ignored(path, text):
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    assert read_asked(path, Coverage(0, 0, 0)) == Asked()


def test_missing_file_is_ignored(path):
    assert read_asked(path, HELD) == Asked()


def test_store_does_not_see_it(tmp_path):
    store = BarStore(tmp_path, "binance")
    path = asked_path(store, "BTC/USDT", "1m")
    write_asked(path, Asked().add((0, 1)), Coverage(0, 0, 0))
    assert store.symbols() == []
    assert store.timeframes("BTC/USDT") == []
