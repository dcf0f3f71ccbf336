import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spent import cpu_under

from app.api.parsing import MAX_DEPTH, MAX_KEYS, JsonError, parse_json

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)  # fmt: skip


@given(PLAIN)
def test_parse_gives_what_json_gives(value):
    text = json.dumps(value)
    assert parse_json(text.encode()) == json.loads(text)


@given(st.binary(max_size=200))
def test_parse_of_noise_raises_only_its_own_error(data):
    with contextlib.suppress(JsonError):
        parse_json(data)


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", "nul", "NaN", "-Infinity", "[1e400]", "[-1e400]", '{"a":1,"a":1}',
     "9223372036854775808", "-9223372036854775809", "1" * 5_000, r'"\ud800"', r'{"\udc00":1}',
     r'["a\u0000b"]', r'{"\u0000":1}',
     "[1,]", "{'a':1}", "\ufeff{}", "[]]"],
)  # fmt: skip
def test_parse_refuses(text):
    with pytest.raises(JsonError):
        parse_json(text.encode())


def test_parse_refuses_bytes_that_are_not_utf8():
    with pytest.raises(JsonError, match="UTF-8"):
        parse_json(b'"\xff"')


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_parse_counts_depth(opened, closed):
    levels = MAX_DEPTH // (2 if "[{" in opened else 1)
    parse_json((opened * levels + "1" + closed * levels).encode())
    with pytest.raises(JsonError, match="nest"):
        parse_json((opened * (levels + 1) + "1" + closed * (levels + 1)).encode())


def test_parse_does_not_count_brackets_in_strings_or_siblings():
    assert parse_json(json.dumps(["[" * 100, '\\"[[']).encode()) == ["[" * 100, '\\"[[']
    assert parse_json(json.dumps([[]] * 100).encode()) == [[]] * 100


def test_parse_limits_keys():
    full = {str(i): 0 for i in range(MAX_KEYS)}
    assert parse_json(json.dumps(full).encode()) == full
    with pytest.raises(JsonError, match="keys"):
        parse_json(json.dumps(full | {"one more": 0}).encode())


@pytest.mark.parametrize(
    "data",
    [b"[" * 2**20, b'"' + b'\\"' * 2**19, b'["' + b'",["' * 2**18, b"[]" * 2**19,
     b"{" * 2**20, b'"' * 2**20, b"\\" * 2**20, b"[" * 40 + b"1," * 2**19, b"9" * 2**20],
    ids=["open", "escapes", "strings", "pairs", "braces", "quotes", "slashes", "list", "digits"],
)  # fmt: skip
def test_parse_of_a_hostile_megabyte_ends_soon(data):
    with cpu_under(1.0, time.thread_time), pytest.raises(JsonError):
        parse_json(data)
