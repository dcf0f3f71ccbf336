"""Headers that no answer may lack."""

import base64
import hashlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders

from app.auth.headers import (
    PAGE_POLICY,
    SECURITY,
    STRICT_POLICY,
    SecureAnswers,
    form_policy,
    secure,
)


@pytest.mark.parametrize(
    ("media", "policy"),
    [("text/html; charset=utf-8", PAGE_POLICY), ("application/json", STRICT_POLICY),
     ("text/javascript", STRICT_POLICY), ("", STRICT_POLICY)],
)  # fmt: skip
def test_what_is_missing_is_added_and_the_server_keeps_its_name(media, policy):
    headers = HTTPHeaders({"Server": "TornadoServer/6", "Content-Type": media})
    secure(headers, tls=False)
    assert "Server" not in headers
    assert headers["Content-Security-Policy"] == policy
    assert set(SECURITY) <= set(headers.keys())
    assert "Strict-Transport-Security" not in headers


def test_a_policy_of_its_own_stays():
    headers = HTTPHeaders({"Content-Security-Policy": "default-src 'none'; script-src 'self'"})
    secure(headers, tls=True)
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


@pytest.mark.parametrize("policy", [PAGE_POLICY, STRICT_POLICY, form_policy("p { }")])
def test_no_policy_lets_another_site_in(policy):
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert "*" not in policy


@given(st.text(max_size=200))
def test_a_page_without_scripts_allows_its_own_style_only(css):
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = form_policy(css)
    assert f"style-src 'sha256-{digest}';" in policy
    assert "script" not in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("scheme", "has"), [("http", False), ("https", True)])
@pytest.mark.parametrize("read", [True, False])
def test_tornado_calls_it_before_the_first_byte(scheme, has, read):
    connection = SimpleNamespace(_read_finished=read)
    made = SecureAnswers(
        SimpleNamespace(protocol="http", scheme_used=scheme, connection=connection)
    )
    status, headers, chunk = made.transform_first_chunk(404, HTTPHeaders(), b"x", True)
    assert (status, chunk) == (404, b"x")
    assert ("Strict-Transport-Security" in headers) is has
    assert (headers.get("Connection") == "close") is not read
