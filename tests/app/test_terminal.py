import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.terminal import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bitcoin at 64,210 [red] :smile: 50 %", "Bitcoin at 64,210 [red] :smile: 50 %"),
        ("München 🚀 比特币", "München 🚀 比特币"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("a\r\nb\tc\x7f", "a\\r\\nb\\tc\\x7f"),
        ("zero\u200bwidth\u2028line", "zero\\u200bwidth\\u2028line"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text, shown):
    assert visible(text) == shown


def test_letters_that_the_terminal_lacks_are_escaped():
    assert visible("ü 🚀", "ascii") == "\\xfc \\U0001f680"
    assert visible("ü 🚀", "latin-1") == "ü \\U0001f680"


@given(st.text(st.characters(categories=["L", "N", "P", "S", "C", "Z"])))
def test_nothing_that_is_obeyed_is_left(text):
    left = {unicodedata.category(c) for c in visible(text)}
    assert left.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
