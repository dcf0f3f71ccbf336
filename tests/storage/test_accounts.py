"""Accounts, keys and logins, on both databases."""

import threading

import pytest
import sqlalchemy as sa

from opportunity.errors import ConflictError
from opportunity.storage import accounts as module
from opportunity.storage.accounts import (
    MOST_LOGINS,
    Account,
    AccountRepository,
    Change,
    Key,
    LastAdminError,
    Login,
    TooManyError,
)
from opportunity.storage.events import Event, EventRepository

NOW = 1_800_000_000_000


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(engine, clock):
    return AccountRepository(engine, clock)


def event(n: int = 0) -> Event:
    event.n = getattr(event, "n", 0) + 1  # type: ignore[attr-defined]  # a counter of the test
    return Event(f"audit:{event.n}", NOW, "audit", {"n": n})  # type: ignore[attr-defined]


def user(name: str, role: str = "admin") -> Account:
    return Account(name, role, "hash", NOW, NOW)


def login(id: str, account: str = "anna", kind: str = "refresh", **more: int) -> Login:
    times = {"created_at": NOW, "used": NOW, "expires": NOW + 1_000} | more
    return Login(id, kind, account, f"digest of {id}", **times)  # type: ignore[arg-type]


def test_what_is_added_is_read(store):
    store.add(user("anna"), event())
    store.add(user("ben", "viewer"), event())
    key = Key("k1", "d", "notebook", "viewer", "anna", NOW, None, None)
    store.add_key(key, event())
    store.add_login(login("a"))
    known = store.read()
    assert [one.name for one in known.accounts] == ["anna", "ben"]
    assert known.keys == (key,)
    assert known.logins == (login("a"),)


def test_a_change_of_users_or_keys_shows_and_nothing_else_does(store, engine, clock):
    seen = [store.changes()]
    key = Key("k1", "d", "notebook", "viewer", "anna", NOW, None, None)
    for change in (
        lambda: store.add(user("anna"), event()),
        lambda: store.change("anna", Change("viewer"), event()),
        lambda: store.add_key(key, event()),
        lambda: store.remove_key("k1", event()),
        lambda: store.remove("anna", event()),
    ):
        change()
        seen.append(store.changes())
        assert store.changes() == seen[-1]
    assert len(set(seen)) == 6
    EventRepository(engine, clock).append([Event("alert:1", NOW, "alert", {})])
    assert store.changes() == seen[-1]


def test_of_changes_the_newest_are_shown_whoever_commits_first(store):
    for i in range(module.SHOWN_CHANGES + 3):
        store.add(user(f"user{i}"), event())
    shown = store.changes()
    assert len(shown) == module.SHOWN_CHANGES
    assert sorted(shown, reverse=True) == list(shown)


def test_every_change_is_in_the_log_and_a_failed_one_is_not(store, engine, clock):
    events = EventRepository(engine, clock)
    store.add(user("anna"), event(1))
    store.change("anna", Change("viewer"), event(2))
    with pytest.raises(ConflictError, match="was known: anna"):
        store.add(user("anna"), event(3))
    with pytest.raises(KeyError, match="Did you mean 'anna'"):
        store.remove("ana", event(4))
    with pytest.raises(KeyError):
        store.remove_key("k", event(5))
    store.remove("anna", event(6))
    assert [one.body["n"] for one in events.read(["audit"])] == [1, 2, 6]


def test_last_admin_stays_where_it_is_guarded(store):
    store.add(user("anna"), event())
    store.add(user("ben", "viewer"), event())
    with pytest.raises(LastAdminError):
        store.change("anna", Change("trader"), event(), guard=True)
    with pytest.raises(LastAdminError):
        store.remove("anna", event(), guard=True)
    assert store.change("anna", Change("admin"), event(), guard=True).role == "admin"
    store.change("ben", Change("admin"), event(), guard=True)
    store.remove("anna", event(), guard=True)
    store.remove("ben", event())  # not guarded
    assert store.read().accounts == ()


def test_of_two_admins_that_remove_each_other_one_stays(store):
    store.add(user("anna"), event())
    store.add(user("ben"), event())
    start, refused = threading.Barrier(2), []

    def remove(name: str, said: Event) -> None:
        start.wait()
        try:
            store.remove(name, said, guard=True)
        except LastAdminError as error:
            refused.append(error)

    threads = [threading.Thread(target=remove, args=(n, event())) for n in ("anna", "ben")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert len(store.read().accounts) == len(refused) == 1


def test_a_new_password_ends_all_logins_but_one(store):
    store.add(user("anna"), event())
    store.add(user("ben"), event())
    for one in (login("a"), login("b"), login("c", "ben")):
        store.add_login(one)
    changed = store.change("anna", Change(None, "new hash", keep="b"), event())
    assert changed.password == "new hash"
    assert changed.role == "admin"
    assert {one.id for one in store.read().logins} == {"b", "c"}
    store.change("anna", Change("viewer"), event())
    assert {one.id for one in store.read().logins} == {"b", "c"}


def test_logins_go_with_their_user_and_need_one(store):
    store.add(user("anna"), event())
    store.add_login(login("a"))
    store.remove("anna", event())
    assert store.read().logins == ()
    with pytest.raises(KeyError):
        store.add_login(login("b"))


def test_logins_of_a_user_are_bounded_and_the_longest_unused_goes(store):
    store.add(user("anna"), event())
    for i in range(MOST_LOGINS):
        store.add_login(login(f"r{i}", used=NOW + i))
    store.add_login(login("s", kind="session"))
    store.touch({}, {"r0": NOW + 900})
    store.add_login(login("new", used=NOW + 950))
    left = {one.id for one in store.read().logins}
    assert len(left) == MOST_LOGINS + 1
    assert {"new", "r0", "s"} <= left
    assert "r1" not in left


def test_what_has_expired_is_not_read_and_goes_with_the_next_login(store, engine, clock):
    store.add(user("anna"), event())
    store.add_login(login("a"))
    clock.now = NOW + 1_000
    assert store.read().logins == ()
    store.add_login(login("b", expires=NOW + 5_000))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT id FROM login")).scalars().all() == ["b"]


def test_a_refresh_token_is_good_once_and_ends_its_family_when_it_comes_again(store):
    store.add(user("anna"), event())
    store.add_login(login("a"))
    store.add_login(login("b"))
    found = store.rotate("a", "digest of a", "second")
    assert found is not None
    assert found.account == "anna"
    assert store.rotate("a", "second", "third") is not None
    assert store.rotate("a", "digest of a", "stolen") is None
    assert store.rotate("a", "third", "fourth") is None
    assert [one.id for one in store.read().logins] == ["b"]


def test_of_many_that_renew_with_the_same_token_at_most_one_is_given_one(store):
    store.add(user("anna"), event())
    store.add_login(login("a"))
    start, got = threading.Barrier(6), []

    def renew(i: int) -> None:
        start.wait()
        got.append(store.rotate("a", "digest of a", f"new {i}"))

    threads = [threading.Thread(target=renew, args=(i,)) for i in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert sum(one is not None for one in got) == 1
    assert store.read().logins == ()


def test_sessions_and_expired_families_are_not_renewed(store, clock):
    store.add(user("anna"), event())
    store.add_login(login("s", kind="session"))
    store.add_login(login("a"))
    assert store.rotate("s", "digest of s", "x") is None
    clock.now = NOW + 1_000
    assert store.rotate("a", "digest of a", "x") is None


def test_use_only_goes_forward(store):
    store.add(user("anna"), event())
    store.add_login(login("a"))
    store.add_key(Key("k", "d", "n", "viewer", "anna", NOW), event())
    store.touch({"k": NOW + 5, "gone": NOW}, {"a": NOW + 7, "gone": NOW})
    store.touch({"k": NOW + 1}, {"a": NOW + 1})
    known = store.read()
    assert known.keys[0].last_used == NOW + 5
    assert known.logins[0].used == NOW + 7


def test_accounts_and_keys_are_bounded(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 1)
    monkeypatch.setattr(module, "MOST_KEYS", 1)
    store.add(user("anna"), event())
    with pytest.raises(TooManyError, match="users must be at most 1"):
        store.add(user("ben"), event())
    store.add_key(Key("k", "d", "n", "viewer", "anna", NOW), event())
    with pytest.raises(TooManyError, match="tokens must be at most 1"):
        store.add_key(Key("l", "d", "n", "viewer", "anna", NOW), event())


def test_ending_what_has_ended_is_no_error(store):
    store.end_logins(["x"])
    store.end_logins([])
