"""Small pages of our own: nothing from outside, nothing of a request that becomes markup."""

from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.headers import form_policy
from app.auth.html import CSS, MAX_NEXT, POLICY, login_address, render, up, way_back

EVIL = "\"><script>alert(1)</script>"


def asked(uri="/", **cookies):
    path = uri.partition("?")[0]
    kept = {name: SimpleNamespace(value=value) for name, value in cookies.items()}
    return SimpleNamespace(uri=uri, path=path, cookies=kept, headers={})


@pytest.mark.parametrize("field", ["problem", "told", "next", "username", "oauth"])
def test_what_was_sent_stays_text(field):
    text = render("login", asked(), **{field: EVIL})
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_pages_need_nothing_from_outside_and_no_script():
    for name in ("login", "first", "logout"):
        text = render(name, asked(), problem="")
        assert "http" not in text
        assert "<script" not in text
        assert f"<style>{CSS}</style>" in text
        assert "<main>" in text
        assert text.count("<h1>") == 1
    assert form_policy(CSS) == POLICY


def test_the_theme_is_the_chosen_one_or_the_systems():
    assert 'data-theme="dark"' in render("login", asked(**{"opportunity-theme": "dark"}))
    for odd in ({}, {"opportunity-theme": EVIL}):
        assert "data-theme=" not in render("login", asked(**odd)).partition("<style>")[0]
    assert "prefers-color-scheme: dark" in CSS


def test_the_language_is_the_chosen_one_or_the_browsers():
    persian = render("login", asked(**{"opportunity-language": "fa"}))
    assert '<html lang="fa" dir="rtl"' in persian
    assert "<h1>ورود</h1>" in persian
    request = asked(**{"opportunity-language": EVIL})
    request.headers = {"Accept-Language": "ar-EG,en;q=0.5"}
    assert '<html lang="ar" dir="rtl"' in render("logout", request)
    assert '<html lang="en" dir="ltr"' in render("login", asked())


def test_a_name_in_a_translated_text_stays_text():
    for name, fact in (("logout", "user"), ("first", "name")):
        text = render(name, asked(), **{fact: EVIL})
        assert "<script" not in text
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("uri", "there"),
    [("/", "./login"), ("/research", "./login?next=research"),
     ("/research/", "../login?next=research%2F"),
     ("/research?job=1&x=2", "./login?next=research%3Fjob%3D1%26x%3D2"),
     ("//evil.example", "../login?next=evil.example"), ("/" + "x" * 600, "./login")],
)  # fmt: skip
def test_the_way_to_the_login_is_relative_and_leads_back(uri, there):
    assert login_address(asked(uri)) == there


@given(st.one_of(st.text(max_size=MAX_NEXT + 5), st.sampled_from([
    "//evil.example", "https://evil.example", "\\\\evil.example", "/\\evil.example",
    "javascript:alert(1)", "./..//evil.example", "\thttps://evil.example", "evil.example",
    "..//..//evil.example", "?next=//evil.example", "%2f%2fevil.example",
])))  # fmt: skip
def test_the_way_back_never_leads_elsewhere(wanted):
    there = way_back(wanted)
    assert there.startswith("./")
    assert "\n" not in there
    assert "\r" not in there
    for base in ("http://desk.example/login", "http://desk.example/prefix/login"):
        assert urlsplit(urljoin(base, there)).netloc == "desk.example"


def test_a_page_of_ours_is_found_again():
    assert way_back("research?job=1") == "./research?job=1"
    assert way_back("") == "./"
    assert up(asked("/a/b")) == "../"
