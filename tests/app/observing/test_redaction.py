"""Secrets never reach a line of the log, in whatever they are wrapped."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.observing.redaction import HIDDEN, MOST_CHARS, clean, discreet, redact, redacted

SECRET = "CANARY-5f0c2a"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.CANARY-5f0c2a"

TEXTS = [
    f"Authorization: Bearer {SECRET}",
    f"authorization=basic {SECRET}",
    f"password={SECRET} and more",
    f'{{"password": "{SECRET}", "user": "x"}}',
    f"refresh_token={SECRET}&x=1",
    f"api_key: {SECRET}",
    f"apikey='{SECRET}'",
    f"GET /ws failed with Sec-WebSocket-Protocol opportunity.ticket.{SECRET}",
    f"opportunity.bearer.{SECRET}",
    f"postgresql://user:{SECRET}@db.example/one",
    f"redis://:{SECRET}@127.0.0.1:6379/0",
    f"tgram://{SECRET}@somewhere",
    f"https://x.example/login?token={SECRET}",
    f"key opp_abc12345_{SECRET} is not known",
    f"bad token {JWT}",
    f"Cookie: session={SECRET}",
    f"$argon2id$v=19$m=65536,t=3,p=4${SECRET}${SECRET}",
]

NAMES = [
    "password", "new_password", "Authorization", "cookie", "Set-Cookie", "access_token",
    "refresh_token", "token", "api_key", "apikey", "secret", "client_secret", "ticket",
    "signing_key", "X-Xsrf-Token", "private_key", "credentials",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_cleaned_wherever_they_are(text: str) -> None:
    wrapped = [text, {"why": text}, [{"a": (text,)}], ValueError(text), {text: 1}, {"s": {text}}]
    for value in wrapped:
        assert SECRET not in str(redacted(value))
        assert SECRET not in str(redact(None, "info", {"event": "failed", "about": value}))


@pytest.mark.parametrize("name", NAMES)
def test_values_of_telling_names_are_hidden(name: str) -> None:
    line = redact(None, "info", {name: SECRET, "deep": {"er": {name: SECRET}}, "n": 1})
    assert SECRET not in str(line)
    assert line[name] == HIDDEN
    assert line["n"] == 1


@pytest.mark.parametrize("name", ["tokens", "token_type", "n_tokens", "path", "error", "symbol"])
def test_other_names_are_not(name: str) -> None:
    assert redact(None, "info", {name: "plain"}) == {name: "plain"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [("redis_url", "redis://127.0.0.1:6379/0"), ("url", "http://127.0.0.1:80/x")],
)
def test_an_address_is_known_but_for_its_secret(name: str, shown: str) -> None:
    given = shown.replace("//", f"//:{SECRET}@")
    assert redact(None, "info", {name: given})[name] == shown


@given(st.text(max_size=200))
def test_what_holds_no_secret_stays(text: str) -> None:
    if "://" not in text and "=" not in text and ":" not in text and "$" not in text:
        words = ("bearer", "basic", "eyj", "opp_", "opportunity.")
        if not any(word in text.lower() for word in words):
            assert clean(text) == text


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30,
))  # fmt: skip
@example({"TOKEN": float("inf")})
def test_anything_can_be_redacted_twice(value: object) -> None:
    once = redacted(value)
    assert repr(redacted(once)) == repr(once)


def test_lines_are_bounded() -> None:
    assert len(clean("x" * 10 * MOST_CHARS)) < MOST_CHARS + 10
    nested: list[object] = []
    for _ in range(100):
        nested = [nested]
    assert len(str(redacted(nested))) < 50
    assert len(redacted(list(range(100_000)))) < 1_000


def test_addresses_keep_host_and_path() -> None:
    assert discreet("see wss://u:p@x.example/ws?a=1#b.") == "see wss://x.example/ws"
