import asyncio
import threading
import unicodedata

import pytest
from argon2 import PasswordHasher, Type
from hypothesis import assume, given
from hypothesis import strategies as st
from logins import PASSWORD, cheap

from app.auth import passwords as module
from app.auth.passwords import AT_ONCE, LEAST, MOST, check_password, hash_of
from app.auth.refusals import BusyError


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=LEAST - 1))
def test_short_ones_are_refused_and_never_shown(text):
    assume(len(unicodedata.normalize("NFC", text)) < LEAST)  # composing may lengthen, too
    with pytest.raises(ValueError, match="password must have") as refused:
        check_password(text, "anna")
    assert len(text) < 4 or text not in str(refused.value)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("x" * 11, "12 to 256 characters, was of 11"),
        ("ab" * (MOST // 2) + "c", "12 to 256 characters, was of 257"),
        ("Anna.Of.The.Harbour", "must not be the user's name"),
        ("anna.of.the.harbour ", "must not be the user's name"),
        ("a" * 12, "one character again and again"),
    ],
)
def test_rules(password, rule):
    with pytest.raises(ValueError, match=rule):
        check_password(password, "anna.of.the.harbour")


def test_the_same_text_typed_otherwise_is_the_same_password():
    composed, split = "caf\u00e9 at the harbour", "cafe\u0301 at the harbour"
    assert check_password(composed, "anna") == check_password(split, "anna")


async def test_endless_ones_are_refused_before_they_are_composed():
    endless = "a" + "\u0300\u0316" * 250_000  # minutes, with the whole process held
    with pytest.raises(ValueError, match="was of 500001"):
        check_password(endless, "anna")
    assert not await cheap().verify(hash_of(PASSWORD, "anna"), endless)


async def test_right_wrong_and_none():
    passwords = cheap()
    kept = await passwords.hashed(check_password("caf\u00e9 at the harbour", "anna"))
    assert await passwords.verify(kept, "cafe\u0301 at the harbour")
    assert not await passwords.verify(kept, "caf\u00e9 at the harbor")
    assert not await passwords.verify("", "caf\u00e9 at the harbour")
    assert not await passwords.verify("no hash at all", "caf\u00e9 at the harbour")
    passwords._nobody = kept  # even if somebody guessed what unknown users are held against
    assert not await passwords.verify("", "caf\u00e9 at the harbour")


def test_hashes_are_argon2id_and_as_strong_as_the_rfc_says():
    kept = hash_of(PASSWORD, "anna")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert len(kept) <= 200
    assert PasswordHasher().type is Type.ID


async def test_unknown_users_cost_the_same_hash(monkeypatch):
    passwords, asked = cheap(), []
    real = passwords._hasher
    kept = real.hash(PASSWORD)

    class Counting:
        hash = staticmethod(real.hash)

        @staticmethod
        def verify(hashed, password):
            asked.append(hashed.rsplit("$", 2)[0])
            return real.verify(hashed, password)

    passwords._hasher = Counting()
    assert not await passwords.verify("", PASSWORD)
    assert not await passwords.verify(kept, "another one altogether")
    assert asked[0] == asked[1]  # of the same cost


async def test_no_more_at_once_than_may_and_no_more_waiting(monkeypatch):
    monkeypatch.setattr(module, "WAITING", 5)
    passwords, go = cheap(), threading.Event()
    running, most = 0, 0
    lock = threading.Lock()

    def slow(kept, password):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(10)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(passwords, "_verify", slow)
    asked = [asyncio.ensure_future(passwords.verify("x", "y")) for _ in range(5)]
    async with asyncio.timeout(10):
        while running < AT_ONCE:  # noqa: ASYNC110 - threads tell no event
            await asyncio.sleep(0.001)
    with pytest.raises(BusyError):
        await passwords.verify("x", "y")
    go.set()
    assert await asyncio.gather(*asked) == [True] * 5
    assert most == AT_ONCE
    assert await passwords.verify("x", "y")


async def test_who_gives_up_waiting_leaves_room(monkeypatch):
    monkeypatch.setattr(module, "WAITING", 1)
    passwords, go = cheap(), threading.Event()
    monkeypatch.setattr(passwords, "_verify", lambda kept, password: go.wait(10))
    asked = asyncio.ensure_future(passwords.verify("x", "y"))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])
    go.set()
    assert await passwords.verify("x", "y")
