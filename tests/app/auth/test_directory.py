from dataclasses import replace

import pytest

from app.auth.directory import MINUTE_MS, Directory
from opportunity.storage.accounts import Account, Key, Known, Login

IDLE = 1_000
ANNA = Account("anna", "admin", "h", 0, 0)
BEN = Account("ben", "viewer", "", 0, 0)
KEY = Key("k", "d", "notebook", "viewer", "anna", 0, 5_000)
FAMILY = Login("r", "refresh", "anna", "d", 0, 0, 9_000)
SESSION = Login("s", "session", "ben", "d", 0, 0, 9_000)
KNOWN = Known((ANNA, BEN), (KEY,), (FAMILY, SESSION))


@pytest.fixture
def known():
    made = Directory(IDLE)
    assert made.replace(KNOWN) == frozenset()
    return made


def test_what_is_good_now(known):
    assert known.key("k", 4_999) == KEY
    assert known.key("k", 5_000) is None
    assert known.key("x", 0) is None
    assert known.login("r", 8_999) == (FAMILY, ANNA)
    assert known.login("r", 9_000) is None
    assert known.login("x", 0) is None


def test_a_session_must_be_used_and_a_family_need_not(known):
    assert known.login("s", IDLE) == (SESSION, BEN)
    assert known.login("s", IDLE + 1) is None
    known.see_login("s", IDLE)
    assert known.login("s", 2 * IDLE) == (SESSION, BEN)
    assert known.login("s", 2 * IDLE + 1) is None
    assert known.login("r", 8 * IDLE) == (FAMILY, ANNA)


def test_a_key_for_ever(known):
    known.replace(replace(KNOWN, keys=(replace(KEY, expires=None),)))
    assert known.key("k", 2**60) is not None


@pytest.mark.parametrize(
    ("after", "ended"),
    [
        (KNOWN, set()),
        (Known(), {"anna", "ben", "k", "r", "s"}),
        (replace(KNOWN, logins=(SESSION,)), {"r"}),
        (replace(KNOWN, keys=()), {"k"}),
        (replace(KNOWN, keys=(replace(KEY, role="trader"),)), {"k"}),
        (replace(KNOWN, keys=(replace(KEY, last_used=7),)), set()),
        (replace(KNOWN, accounts=(ANNA, replace(BEN, role="trader"))), {"ben"}),
        (replace(KNOWN, accounts=(ANNA, replace(BEN, password="new"))), set()),
        (replace(KNOWN, logins=(FAMILY, replace(SESSION, used=7))), set()),
    ],
)
def test_what_does_not_hold_any_more_is_told(known, after, ended):
    assert known.replace(after) == ended


def test_a_login_of_nobody_is_none(known):
    known.replace(replace(KNOWN, accounts=(BEN,)))
    assert known.login("r", 1) is None


def test_use_is_stored_once_a_minute(known):
    known.see_key("k", 10)
    known.see_login("r", MINUTE_MS)
    known.see_login("gone", 10)
    assert known.to_store().keys == {}
    assert known.to_store().logins == {"r": MINUTE_MS}
    known.see_key("k", MINUTE_MS)
    assert known.to_store().keys == {"k": MINUTE_MS}
    assert known.last_used(KEY) == MINUTE_MS
    stored = replace(
        KNOWN, keys=(replace(KEY, last_used=MINUTE_MS),), logins=(replace(FAMILY, used=MINUTE_MS),)
    )
    known.replace(stored)
    known.see_key("k", MINUTE_MS + 1)
    assert not known.to_store()
    assert known.to_store(1).keys == {"k": MINUTE_MS + 1}


def test_use_of_what_is_gone_is_forgotten(known):
    known.see_key("k", MINUTE_MS)
    known.see_login("s", MINUTE_MS)
    known.replace(Known())
    known.replace(KNOWN)
    assert not known.to_store()
    assert known.last_used(KEY) is None


def test_what_has_come_to_its_end_is_dropped_once(known):
    assert known.drop_ended(IDLE) == frozenset()
    assert known.drop_ended(IDLE + 1) == {"s"}
    assert known.drop_ended(9_000) == {"r"}
    assert known.drop_ended(9_000) == frozenset()


def test_forgetting_is_at_once(known):
    known.forget("r")
    known.forget("r")
    assert known.login("r", 1) is None
    known.replace(KNOWN)  # a look that began before
    assert known.login("r", 1) is None
    assert known.gone == {"r"}
    known.replace(replace(KNOWN, logins=()))
    assert known.gone == set()
