"""The result of a check."""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

Verdict = Literal["OK", "WARN", "FAIL"]

GLYPHS: Final[dict[Verdict, str]] = {"OK": "✓", "WARN": "!", "FAIL": "✗"}

_LOGIN: Final = re.compile(r"(\w+://)[^/\s@'\"]+@")
_QUERY: Final = re.compile(r"(\w+://[^\s?#'\"]+)[?#][^\s'\"]+")


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about one thing.

    Parameters
    ----------
    name : str
        What was looked at, one or two words.
    verdict : {"OK", "WARN", "FAIL"}
        FAIL: something will not work; WARN: it works, with a catch.
    text : str
        What was found, one line.
    advice : str
        What to do about it; empty when all is well.
    """

    name: str
    verdict: Verdict
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "name": self.name, "verdict": self.verdict, "text": plain(self.text),
            "advice": plain(self.advice) or None,
        }

    def line(self) -> str:
        """Word it in one line."""
        advice = f" -> {self.advice}" if self.advice else ""
        return f"{GLYPHS[self.verdict]} {self.verdict:<4} {self.name}: {plain(self.text + advice)}"


def plain(text: str) -> str:
    """Return a text in one line, without logins and queries of the addresses in it."""
    return _QUERY.sub(r"\1?...", _LOGIN.sub(r"\1***@", " ".join(text.split())))


def worst(checks: list[Check]) -> Verdict:
    """Return the worst verdict; OK without any."""
    order: tuple[Verdict, ...] = ("OK", "WARN", "FAIL")
    return max((c.verdict for c in checks), key=order.index, default="OK")
