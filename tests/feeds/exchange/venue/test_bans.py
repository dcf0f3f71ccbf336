import os
import threading

import orjson
import pytest

from opportunity.feeds.exchange.venue.bans import UNREADABLE_MS, Ban, Bans
from opportunity.feeds.exchange.venue.failures import LONGEST_MS

NOW = 1_760_000_000_000
BAN = Ban(NOW, NOW + 60_000, "banned", 2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bans" / "binance.json"


def test_a_ban_is_read_by_others(path):
    assert Bans(path).read(NOW) is None
    one, two = Bans(path), Bans(path)
    assert two.read(NOW) is None
    one.write(BAN)
    assert two.read(NOW) == Bans(path).read(NOW) == one.read(NOW) == BAN
    assert one.own
    assert not two.own
    assert sorted(p.name for p in path.parent.iterdir()) == [".binance.json.lock", "binance.json"]


def test_without_a_file_the_ban_is_kept_in_memory():
    bans = Bans(None)
    bans.write(BAN)
    assert bans.read(NOW) == BAN


def test_the_longer_ban_stays(path):
    one, two = Bans(path), Bans(path)
    one.write(BAN)
    two.write(Ban(NOW + 1_000, NOW + 30_000, "limited", 5))
    assert one.read(NOW) == Ban(NOW, NOW + 60_000, "banned", 5)
    assert not two.own


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"at": 1}',
     orjson.dumps({"at": "x", "until": 1, "kind": "banned", "strikes": 1}),
     orjson.dumps({"at": 5, "until": 1, "kind": "banned", "strikes": 1}),
     orjson.dumps({"at": 5, "until": 9, "kind": "nice", "strikes": 1}),
     orjson.dumps({"at": 5, "until": 9.5, "kind": "banned", "strikes": 1})],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_a_ban_and_is_rewritten(path, text):
    path.parent.mkdir()
    path.write_bytes(text)
    expected = Ban(NOW, NOW + UNREADABLE_MS, "banned", 1)
    assert Bans(path).read(NOW) == expected
    assert Bans(path).read(NOW + 10) == expected
    assert orjson.loads(path.read_bytes())["until"] == NOW + UNREADABLE_MS


def test_an_endless_ban_is_cut(path):
    path.parent.mkdir()
    path.write_bytes(orjson.dumps({**orjson.loads(orjson.dumps(BAN)), "until": NOW + 10**12}))
    ban = Bans(path).read(NOW)
    assert ban is not None
    assert ban.remaining_ms(NOW) == LONGEST_MS


def test_settle_forgets_the_strikes_of_a_ban_that_is_over(path):
    bans = Bans(path)
    bans.write(BAN)
    bans.settle(NOW + 1)
    assert Bans(path).read(NOW) == BAN
    bans.settle(NOW + 60_000)
    assert Bans(path).read(NOW).strikes == 0
    before = path.stat().st_mtime_ns
    bans.settle(NOW + 60_000)
    assert path.stat().st_mtime_ns == before


def test_a_ban_noted_in_the_future_starts_anew(path):
    Bans(path).write(BAN)
    assert Bans(path).read(NOW - 86_400_000).remaining_ms(NOW - 86_400_000) == 60_000


def test_a_folder_that_cannot_be_written_keeps_the_ban_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    bans = Bans(tmp_path / "file" / "binance.json")
    bans.write(BAN)
    assert bans.read(NOW) == BAN


def test_many_writers_leave_the_longest(path):
    path.parent.mkdir()
    bans = [Ban(NOW, NOW + 1_000 * n, "limited", 1) for n in range(1, 25)]
    threads = [threading.Thread(target=Bans(path).write, args=(b,)) for b in bans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Bans(path).read(NOW).until == NOW + 24_000
    assert len(os.listdir(path.parent)) == 2
