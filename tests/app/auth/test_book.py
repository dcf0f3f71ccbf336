"""What is in memory follows the database: our changes at once, others' when it is looked again."""

import asyncio

import pytest
from logins import Watch, engine_at

from app.auth import book as module
from app.auth.book import Book
from app.auth.tokens import Keyring
from app.auth.users import NewKey, Users
from opportunity.errors import DatabaseError
from opportunity.storage.accounts import AccountRepository, Change, Login


class Bed:
    """A book, and somebody else who changes the same database."""

    def __init__(self, folder):
        self.clock, self.folder = Watch(), folder
        self.store = AccountRepository(engine_at(folder), self.clock)
        self.ring = Keyring(folder)
        self.other = Users(AccountRepository(engine_at(folder), self.clock), self.clock)
        self.other_ring = Keyring(folder)
        self.book = Book(self.store, self.ring, 1_000, self.clock)
        self.told = []
        self.leave = self.book.on_revoked(self.told.append)

    def login(self, id, kind="refresh", lasts=1_000_000):
        now = self.clock.now
        return Login(id, kind, "anna", "d", now, now, now + lasts)


@pytest.fixture
async def bed(tmp_path):
    made = Bed(tmp_path)
    yield made
    await made.book.close()


async def test_changes_of_others_are_seen_when_looked_again(bed):
    bed.other.add("anna", "admin", "h", "x")
    _, key = bed.other.create_key(NewKey("n", "viewer"), "x")
    assert bed.book.known.accounts == {}
    await bed.book.read_again()
    assert set(bed.book.known.accounts) == {"anna"}
    assert set(bed.book.known.keys) == {key.id}
    bed.other.revoke_key(key.id, "x")
    bed.other.change("anna", Change("viewer"), "x")
    await bed.book.read_again()
    assert sorted(bed.told) == sorted([key.id, "anna"])


async def test_own_changes_are_known_at_once(bed):
    await bed.book.change(lambda: bed.other.add("anna", "admin", "h", "x"))
    await bed.book.change(lambda: bed.store.add_login(bed.login("a")))
    assert set(bed.book.known.logins) == {"a"}
    await bed.book.end(["a"])
    assert bed.book.known.logins == {}
    assert bed.told == ["a"]


async def test_what_ends_is_over_even_if_the_database_does_not_take_it(bed, monkeypatch):
    await bed.book.change(lambda: bed.other.add("anna", "admin", "h", "x"))
    await bed.book.change(lambda: bed.store.add_login(bed.login("a")))

    def fail(ids):
        raise DatabaseError("gone")

    monkeypatch.setattr(bed.store, "end_logins", fail)
    with pytest.raises(DatabaseError):
        await bed.book.end(["a"])
    monkeypatch.undo()
    await bed.book.read_again()
    assert bed.book.known.login("a", bed.clock.now) is None
    assert bed.told == ["a"]
    assert bed.store.read().logins == ()


async def test_who_has_left_is_not_told(bed):
    bed.leave()
    await bed.book.change(lambda: bed.other.add("anna", "admin", "h", "x"))
    await bed.book.change(lambda: bed.other.remove("anna", "x"))
    assert bed.told == []


async def test_idle_sessions_end_here_and_in_the_database(bed):
    await bed.book.change(lambda: bed.other.add("anna", "admin", "h", "x"))
    for one in (bed.login("s", "session"), bed.login("r")):
        await bed.book.change(lambda one=one: bed.store.add_login(one))
    bed.clock.now += 1_001
    await bed.book.read_again()
    assert bed.told == ["s"]
    assert [one.id for one in bed.store.read().logins] == ["r"]


async def test_use_is_stored_and_close_stores_the_rest(bed):
    await bed.book.change(lambda: bed.other.add("anna", "admin", "h", "x"))
    _, key = await bed.book.change(lambda: bed.other.create_key(NewKey("n", "viewer"), "x"))
    bed.book.known.see_key(key.id, bed.clock.now)
    await bed.book.read_again()
    assert bed.store.read().keys[0].last_used == bed.clock.now
    bed.clock.now += 59_999
    bed.book.known.see_key(key.id, bed.clock.now)
    await bed.book.read_again()
    assert bed.store.read().keys[0].last_used == bed.clock.now - 59_999
    await bed.book.close()
    assert bed.store.read().keys[0].last_used == bed.clock.now


async def test_new_signing_keys_are_seen(bed):
    kid = bed.other_ring.rotate()
    await bed.book.read_again()
    assert bed.ring._keys.newest[0] == kid


async def test_it_looks_by_itself_and_goes_on_after_a_database_was_gone(bed, monkeypatch):
    monkeypatch.setattr(module, "READ_S", 0.005)
    real, fails = bed.store.read, 2

    def read():
        nonlocal fails
        if fails:
            fails -= 1
            raise DatabaseError("gone")
        return real()

    monkeypatch.setattr(bed.store, "read", read)
    bed.other.add("anna", "admin", "h", "x")
    bed.book.start()
    async with asyncio.timeout(10):
        while "anna" not in bed.book.known.accounts:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)
    assert fails == 0
    await bed.book.close()


async def test_keys_of_others_are_known_and_gone_within_a_second(bed, monkeypatch):
    monkeypatch.setattr(module, "READ_S", 3_600.0)  # by the quick look, not by reading all again
    bed.book.start()
    async with asyncio.timeout(10):
        while bed.book._changes is None:  # noqa: ASYNC110 - the first look
            await asyncio.sleep(0.005)
    _, key = bed.other.create_key(NewKey("n", "viewer"), "x")
    async with asyncio.timeout(10):
        while key.id not in bed.book.known.keys:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)
        bed.other.revoke_key(key.id, "x")
        while bed.told != [key.id]:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)


async def test_everything_is_read_only_after_a_change_or_a_while(bed, monkeypatch):
    reads, real = [], bed.store.read
    monkeypatch.setattr(bed.store, "read", lambda: reads.append(1) or real())
    await bed.book.look()
    for _ in range(3):
        await bed.book.look()
    assert len(reads) == 1
    bed.other.add("anna", "admin", "h", "x")
    await bed.book.look()
    await bed.book.look()
    assert len(reads) == 2
    AccountRepository(engine_at(bed.folder), bed.clock).add_login(bed.login("a"))
    await bed.book.look()
    assert bed.book.known.logins == {}
    monkeypatch.setattr(module, "READ_S", 0.0)
    await bed.book.look()
    assert set(bed.book.known.logins) == {"a"}


async def test_a_change_never_goes_back_behind_a_look(bed):
    """Whatever the order of threads, what is in memory at the end is what is stored."""
    await asyncio.gather(*(
        bed.book.change(lambda i=i: bed.other.add(f"user{i}", "viewer", "h", "x"))
        if i % 2 else bed.book.read_again()
        for i in range(40)
    ))  # fmt: skip
    assert set(bed.book.known.accounts) == {f"user{i}" for i in range(1, 40, 2)}
