"""The one catalogue of the page's words: English is the key, `words/*.json` has the others.

A text that stands in a template or in JavaScript is written in English and passed through `t`;
one that Python makes with values in it is a `phrase`, which the browser puts together.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import orjson

LanguageName = Literal["en", "fa", "ar"]
LANGUAGE_COOKIE: Final = "opportunity-language"
LANGUAGES: Final[dict[LanguageName, str]] = {"en": "English", "fa": "فارسی", "ar": "العربية"}
"""What each language calls itself, by its code."""

RIGHT_TO_LEFT: Final = frozenset({"fa", "ar"})
HERE: Final = Path(__file__).parent / "words"
HOLES: Final = re.compile(r"\{(\w+)\}")
"""Where a value stands in a text: ``{name}``."""


def language_of(chosen: str, accepted: str) -> LanguageName:
    """Return the language of a reader; English when none is known.

    Parameters
    ----------
    chosen : str
        What the cookie says, perhaps nothing.
    accepted : str
        The browser's ``Accept-Language``.
    """
    wanted = [chosen]
    for part in accepted.split(","):
        wanted.append(part.partition(";")[0].strip().partition("-")[0].lower())
    known = {str(code): code for code in LANGUAGES}
    return next((known[code] for code in wanted if code in known), "en")


@cache
def catalogue(language: LanguageName) -> dict[str, str]:
    """Return all texts of a language by their English; of English itself none.

    Raises
    ------
    ValueError
        If two files of the catalogue translate a text differently.
    """
    found: dict[str, str] = {}
    if language == "en":
        return found
    for path in sorted(HERE.glob("*.json")):
        for english, others in orjson.loads(path.read_bytes()).items():
            text = others[language]
            if found.setdefault(english, text) != text:
                raise ValueError(f"translation must be one, {english!r} has another in {path.name}")
    return found


@cache
def catalogue_json(language: LanguageName) -> str:
    """Return the catalogue as JSON that may stand inside a script of a page."""
    return orjson.dumps(catalogue(language)).decode().replace("</", "<\\/")


def t(language: LanguageName, text: str, **values: Any) -> str:
    """Return a text in a language; one that is not in the catalogue stays English.

    Examples
    --------
    >>> t("en", "{n} symbols", n=40)
    '40 symbols'
    """
    return HOLES.sub(
        lambda hole: str(values.get(hole[1], hole[0])), catalogue(language).get(text, text)
    )


def phrase(text: str, **values: Any) -> dict[str, Any]:
    """Return a text that the browser translates and puts its values into, as `t` of common.js does.

    Parameters
    ----------
    text : str
        English, a literal: a test looks for it in the catalogue.
    **values : str, int or float
        What stands in its ``{holes}``.
    """
    return {"text": text, "values": values}
