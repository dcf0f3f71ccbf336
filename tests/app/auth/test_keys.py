import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.auth import keys


@pytest.mark.parametrize("kind", ["opp", "opr", "ops"])
def test_what_is_made_is_read(kind):
    made = keys.make(kind)
    assert keys.read(made.text, kind) == made
    assert made.text == f"{kind}_{made.family or made.id}_{made.secret}"
    assert keys.same(made, made.digest)
    assert made.digest == hashlib.sha256(made.secret.encode()).hexdigest()


def test_one_kind_is_not_another():
    text = keys.make("opr").text
    assert keys.read(text, "opp") is None
    assert keys.read(text, "ops") is None


def test_a_family_keeps_its_id():
    first = keys.make("opr")
    second = keys.make("opr", first.family)
    assert (second.id, second.family) == (first.id, first.family)
    assert not keys.same(second, first.digest)


def test_the_id_of_a_family_makes_no_token_of_it():
    made = keys.make("opr")
    assert made.id not in made.text
    assert len(made.family) == 32  # 16 bytes
    assert made.family not in repr(made)
    for family in (made.id, made.id * 2, made.id + "0" * 16):
        forged = keys.read(f"opr_{family}_{'a' * 43}", "opr")
        assert forged is None or forged.id != made.id


def test_secrets_have_256_bits_and_never_come_twice():
    made = [keys.make("opp") for _ in range(100)]
    assert len({one.secret for one in made}) == len({one.id for one in made}) == 100
    assert all(len(one.secret) == 43 for one in made)  # 32 bytes in base 64


def test_a_repr_has_no_secret():
    made = keys.make("opp")
    assert made.secret not in repr(made)
    assert made.id in repr(made)


@given(st.text(max_size=120))
@example("opp_" + "0" * 16 + "_" + "a" * 42)
@example("opp_" + "0" * 16 + "_" + "a" * 43 + "\n")
@example("opp_" + "0" * 15 + "\u0660_" + "a" * 43)
def test_anything_else_is_nothing(text):
    assert keys.read(text, "opp") is None
