import base64
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.framing import (
    MOST_WAITING,
    StrictProtocol,
    is_key,
    is_text,
    wrong_close,
    wrong_header,
)


@given(first=st.integers(0, 255), second=st.integers(0, 255), continues=st.booleans())
def test_header_is_right_only_as_the_rfc_has_it(first, second, continues):
    fin, rsv, opcode = first >> 7, first >> 4 & 7, first & 15
    masked, size = second >> 7, second & 127
    control = opcode in (8, 9, 10)
    data = (opcode in (1, 2) and not continues) or (opcode == 0 and continues)
    right = not rsv and masked and (data or (control and fin and size <= 125))
    assert (wrong_header(first, second, continues) == "") is bool(right)


@given(code=st.integers(0, 65_535))
def test_closing_codes(code):
    allowed = code in {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}
    assert (wrong_close(code.to_bytes(2, "big")) is None) is allowed


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", None), (b"\x03", 1002), (b"\x03\xe8bye", None), (b"\x03\xe8\xff", 1007)],
)
def test_closing_frames(data, code):
    wrong = wrong_close(data)
    assert (None if wrong is None else wrong[0]) == code


@given(st.binary(max_size=8))
def test_text_is_utf8(data):
    assert is_text(data) is (data.decode(errors="replace").encode() == data)


@given(st.binary(max_size=24))
def test_key_is_sixteen_bytes(data):
    assert is_key(base64.b64encode(data).decode()) is (len(data) == 16)
    assert not is_key("")
    assert not is_key("é" * 24)


@pytest.mark.parametrize(("waiting", "counted", "answers"), [
    (0, True, True), (MOST_WAITING, True, True), (MOST_WAITING + 1, True, False),
    (0, False, False),
])  # fmt: skip
def test_who_reads_nothing_is_sent_no_pongs(waiting, counted, answers):
    protocol = StrictProtocol.__new__(StrictProtocol)
    protocol.stream = SimpleNamespace(_write_buffer=bytes(waiting))
    protocol.handler = SimpleNamespace(beat=lambda: counted)
    assert protocol._counted() is answers
