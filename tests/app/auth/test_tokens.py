"""Access tokens: only ours, only now, only by the keys of the file."""

import base64
import json
import stat

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from logins import START

from app.auth.tokens import FILE, LEEWAY_S, MOST_KEYS, Access, KeyFileError, Keyring, SigningKeys

ACCESS = Access("anna", "4f2a91c07b3d5e68", START, START + 900_000)


@pytest.fixture
def ring(tmp_path):
    return Keyring(tmp_path)


def parts(ring):
    """The newest key, and the claims of a good token."""
    kid, key = ring._keys.newest
    claims = jwt.decode(ring.sign(ACCESS), options={"verify_signature": False})
    return kid, key, claims


def test_what_is_signed_is_read(ring):
    assert ring.read(ring.sign(ACCESS), START) == ACCESS


def test_no_two_tokens_are_the_same(ring):
    one, two = (jwt.decode(ring.sign(ACCESS), options={"verify_signature": False}) for _ in "ab")
    assert one.pop("jti") != two.pop("jti")
    assert one == two


def test_times_have_a_leeway_of_half_a_minute(ring):
    token, leeway = ring.sign(ACCESS), LEEWAY_S * 1_000
    assert ring.read(token, ACCESS.expires + leeway - 1_000) == ACCESS
    assert ring.read(token, ACCESS.expires + leeway) is None
    assert ring.read(token, START - leeway) == ACCESS  # a clock that jumped back logs nobody out
    assert ring.read(token, START - leeway - 1_000) is None


def test_the_file_is_for_nobody_else(ring, tmp_path):
    path = tmp_path / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    Keyring(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [FILE]


def test_two_programs_sign_with_the_same_keys(ring, tmp_path):
    assert Keyring(tmp_path).read(ring.sign(ACCESS), START) == ACCESS


def test_rotation_keeps_the_key_before_and_no_older_one(ring, tmp_path):
    other, tokens = Keyring(tmp_path), [ring.sign(ACCESS)]
    assert ring.read(tokens[0], START) == other.read(tokens[0], START) == ACCESS
    for _ in range(2):
        kid = ring.rotate()
        tokens.append(ring.sign(ACCESS))
        assert jwt.get_unverified_header(tokens[-1])["kid"] == kid
    assert [ring.read(token, START) for token in tokens] == [None, ACCESS, ACCESS]
    assert other.read(tokens[2], START) is None  # it has not looked yet
    assert other.reload()
    assert [other.read(token, START) for token in tokens] == [None, ACCESS, ACCESS]
    assert not other.reload()
    assert len(json.loads((tmp_path / FILE).read_text())["keys"]) == MOST_KEYS


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"}, {"aud": "another-api"}, {"aud": ["opportunity-api"]},
        {"aud": ["opportunity-api", "x"]}, {"sub": 7}, {"sid": 7}, {"sid": None},
        {"exp": "never"}, {"exp": 9e99}, {"exp": None}, {"iat": True}, {"exp": True},
        {"nbf": START // 1_000 + 3_600}, {"nbf": "soon"}, {"iat": START // 1_000 + 3_600},
        {"exp": START // 1_000 - 3_600}, {"exp": 1.5e12}, {"jti": 5},
    ],
    ids=str,
)  # fmt: skip
def test_claims_of_another_kind_are_refused(ring, claims):
    kid, key, good = parts(ring)
    token = jwt.encode({**good, **claims}, key, "HS256", {"kid": kid})
    assert ring.read(token, START) is None


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti", "iat", "exp"])
def test_no_claim_may_be_missing(ring, name):
    kid, key, good = parts(ring)
    del good[name]
    assert ring.read(jwt.encode(good, key, "HS256", {"kid": kid}), START) is None


@pytest.mark.parametrize(
    "kid", ["../../etc/passwd", "", None, 7, ["a"], {"a": 1}, "0" * 8], ids=str
)
def test_only_the_keys_of_the_file_count(ring, kid):
    _, key, good = parts(ring)
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": kid}).encode())
    body = jwt.encode(good, key, "HS256").split(".", 1)[1]
    assert ring.read(f"{header.rstrip(b'=').decode()}.{body}", START) is None


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
def test_no_other_algorithm_counts(ring, algorithm):
    kid, key, good = parts(ring)
    signed = None if algorithm == "none" else key
    assert ring.read(jwt.encode(good, signed, algorithm, {"kid": kid}), START) is None


def test_keys_of_another_kind_are_not_mixed_up(ring):
    kid = ring._keys.newest[0]
    header = {"alg": "RS256", "kid": kid, "typ": "JWT"}
    _, body, signature = ring.sign(ACCESS).split(".")
    forged = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    assert ring.read(f"{forged}.{body}.{signature}", START) is None


@given(st.text(max_size=300))
def test_anything_else_is_nothing(tmp_path_factory, text):
    ring = Keyring(tmp_path_factory.getbasetemp())
    assert ring.read(text, START) is None


@given(st.integers(0, 400), st.sampled_from("Ab0_-."))
def test_a_changed_token_is_nothing(tmp_path_factory, at, letter):
    ring = Keyring(tmp_path_factory.getbasetemp())
    token = ring.sign(ACCESS)
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    found = ring.read(changed, START)
    # The last letter of a signature has bits that do not count.
    assert found is None or changed == token or at == len(token) - 1


def test_what_is_remembered_is_bounded_and_judged_by_the_clock(ring, monkeypatch):
    monkeypatch.setattr("app.auth.tokens.MOST_READ", 2)
    tokens = [ring.sign(ACCESS) for _ in range(5)]
    for token in tokens * 2:
        assert ring.read(token, START) == ACCESS
        assert len(ring._read) <= 2
    assert ring.read(tokens[-1], ACCESS.expires + LEEWAY_S * 1_000) is None


def test_a_token_of_any_size_is_answered_at_once(ring):
    assert ring.read("a." * 500_000, START) is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"keys": []}', '{"keys": [{"kid": "a", "key": "short"}]}',
             '{"keys": [{"kid": "a"}]}', '{"keys": 7}'],
)
def test_a_file_of_something_else_is_said(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(KeyFileError, match="must hold"):
        Keyring(tmp_path)


def test_keys_are_in_no_repr(ring):
    assert ring._keys.newest[1] not in repr(ring._keys) + repr(ring)
    assert SigningKeys({"a": "secret"}).newest == ("a", "secret")
