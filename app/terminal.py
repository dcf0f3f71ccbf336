"""Text of others, safe to print: a terminal obeys what it is sent."""

import unicodedata
from typing import Final

_OBEYED: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Categories of Unicode: control and format characters (among them those that turn the direction
of writing), lone surrogates, line and paragraph separators."""


def visible(text: str, encoding: str = "utf-8") -> str:
    r"""Return a text with escapes such as ``\x1b`` in place of what a terminal would obey or hide.

    Parameters
    ----------
    text : str
        From anybody.
    encoding : str
        Of the terminal; what it cannot write is escaped too.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _OBEYED else c
        for c in text
    )
    return shown.encode(encoding, "backslashreplace").decode(encoding)
