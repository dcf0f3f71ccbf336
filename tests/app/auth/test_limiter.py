"""How often anybody may call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.problems import ApiError
from app.auth.limiter import LIMIT, LOGINS_OF_ADDRESS, LOGINS_OF_USER, POLICY, Limiter, place
from app.auth.roles import NOBODY, Caller, Role

TOM = Caller("tom", Role.TRADER, "bearer", None, "t1")


def passed(limiter, caller, address="203.0.113.1", writes=False, tries=100):
    n = 0
    for _ in range(tries):
        try:
            limiter.admit(caller, address, writes)
        except ApiError:
            break
        n += 1
    return n


def test_a_caller_has_so_many_requests_a_minute():
    assert passed(Limiter(20), TOM) == 20


def test_writes_are_fewer():
    assert passed(Limiter(20), TOM, writes=True) == 5


def test_callers_do_not_take_from_each_other():
    limiter = Limiter(5)
    assert passed(limiter, TOM) == 5
    other = Caller("tom", Role.TRADER, "bearer", None, "t2")
    assert passed(limiter, other) == 5
    assert passed(limiter, NOBODY) == 5
    assert passed(limiter, NOBODY, "203.0.113.2") == 5
    assert passed(limiter, NOBODY, "203.0.113.1") == 0


def test_zero_is_no_limit_but_for_logins():
    limiter = Limiter(0)
    assert limiter.admit(TOM, "203.0.113.1", writes=True) is None
    for _ in range(LOGINS_OF_USER):
        limiter.login("ada", "203.0.113.1")
    with pytest.raises(ApiError):
        limiter.login("ada", "203.0.113.1")


def test_a_refusal_says_when_to_come_back():
    limiter = Limiter(4)
    standing = limiter.admit(TOM, "203.0.113.1", False)
    assert standing.headers()[POLICY] == '"default";q=4;w=60'
    assert standing.headers()[LIMIT].startswith('"default";r=3;t=')
    for _ in range(3):
        limiter.admit(TOM, "203.0.113.1", False)
    with pytest.raises(ApiError) as refused:
        limiter.admit(TOM, "203.0.113.1", False)
    assert refused.value.status_code == 429
    headers = refused.value.headers
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert refused.value.more["retry_after_s"] == int(headers["Retry-After"])
    assert headers[LIMIT].startswith('"default";r=0;')


def test_a_thousand_bad_logins_get_nowhere():
    limiter, tried = Limiter(0), 0
    for i in range(1_000):
        try:
            limiter.login(f"user{i % 5}", "203.0.113.1")
        except ApiError:
            continue
        tried += 1
    assert tried <= LOGINS_OF_ADDRESS


def test_spaces_and_capitals_make_no_other_user():
    limiter = Limiter(0)
    for i in range(LOGINS_OF_USER):
        limiter.login(" " * i + "Ada" + "\t" * (i % 2), "203.0.113.1")
    with pytest.raises(ApiError):
        limiter.login("ada", "203.0.113.1")


def test_somebody_elsewhere_cannot_lock_a_user_out():
    limiter = Limiter(0)
    for _ in range(LOGINS_OF_USER):
        limiter.login("ada", "203.0.113.1")
    with pytest.raises(ApiError):
        limiter.login("ada", "203.0.113.1")
    limiter.login("ada", "198.51.100.7")


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_one_network_of_ipv6_is_one_caller(a, b):
    net = 0x2001_0DB8 << 96
    first, second = (f"{(net | n) >> 64:x}" for n in (a, b))
    assert first == second
    groups = [":".join(f"{net | n:032x}"[i : i + 4] for i in range(0, 32, 4)) for n in (a, b)]
    assert place(groups[0]) == place(groups[1])


def test_addresses_that_are_none_do_not_break_it():
    assert place("rubbish:") == "rubbish:"
    assert place("203.0.113.1") == "203.0.113.1"
