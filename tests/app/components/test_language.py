"""One catalogue: every text that people read is in it, in all languages, with the same values."""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from app.components import language
from app.components.language import HERE, HOLES, LANGUAGES, catalogue, catalogue_json, phrase, t

APP = Path(language.__file__).parents[1]
CALLS = {
    ".js": re.compile(r"""\bt\(\s*(["'`])((?:(?!\1).)*?)\1"""),
    ".html": re.compile(r"""\bt\(\s*(["'])((?:(?!\1).)*?)\1"""),
    ".py": re.compile(r"""\bphrase\(\s*(["'])((?:(?!\1).)*?)\1"""),
}


def said() -> Iterator[tuple[str, str]]:
    """File and text of every literal that is passed to `t` or `phrase`."""
    for kind, call in CALLS.items():
        for path in sorted(APP.rglob(f"*{kind}")):
            if path.name not in ("language.py", "common.js"):
                for _, text in call.findall(path.read_text(encoding="utf-8")):
                    yield path.name, text


def entries() -> Iterator[tuple[str, str, dict[str, str]]]:
    for path in sorted(HERE.glob("*.json")):
        for english, others in orjson.loads(path.read_bytes()).items():
            yield path.name, english, others


def test_every_text_has_every_language() -> None:
    known = catalogue("fa")
    missing = {(name, text) for name, text in said() if text not in known}
    assert missing == set()


def test_a_text_that_is_made_in_place_is_no_key() -> None:
    wrong = {(name, text) for name, text in said() if "${" in text}
    assert wrong == set(), "put values into {holes}, not into the key"


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_translations_have_the_same_values(code) -> None:
    for name, english, others in entries():
        assert others[code].strip(), (name, english)
        assert set(HOLES.findall(others[code])) == set(HOLES.findall(english)), (name, english)


def test_files_do_not_contradict_each_other() -> None:
    assert all(set(others) == set(LANGUAGES) - {"en"} for _, _, others in entries())
    for code in LANGUAGES:
        catalogue(code)


def test_values_and_unknown_texts() -> None:
    assert t("fa", "Live") == "زنده"
    assert t("fa", "no such {thing}", thing="text") == "no such text"
    assert t("en", "{a} of {b}", a=1) == "1 of {b}"
    assert phrase("{n} bars", n=2) == {"text": "{n} bars", "values": {"n": 2}}


def test_json_ends_no_script(monkeypatch) -> None:
    monkeypatch.setattr(language, "catalogue", lambda code: {"a": "</script>"})
    catalogue_json.cache_clear()
    try:
        assert "</" not in catalogue_json("fa")
        assert orjson.loads(catalogue_json("fa")) == {"a": "</script>"}
    finally:
        catalogue_json.cache_clear()
