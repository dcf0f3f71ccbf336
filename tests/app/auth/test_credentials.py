"""What requests carry, and what of it counts."""

from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from app.api.problems import ApiError
from app.auth.credentials import (
    answered_protocol,
    check_xsrf,
    protocols_of,
    session_name,
    shown_by,
    xsrf_token,
)


def asked(**headers):
    connection = SimpleNamespace(context=SimpleNamespace(remote_ip="", protocol="http"))
    named = {"Host": "localhost"} | {n.replace("_", "-"): text for n, text in headers.items()}
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders(named), connection=connection)


def test_nothing_shown_is_nothing():
    assert shown_by(asked(), "http") is None
    assert shown_by(asked(Cookie="theme=dark"), "http") is None


@pytest.mark.parametrize("text", ["Bearer abc", "bearer  abc ", "BEARER abc"])
def test_a_bearer_token_is_found(text):
    shown = shown_by(asked(Authorization=text), "http")
    assert (shown.kind, shown.secret) == ("bearer", "abc")
    assert "abc" not in repr(shown)


@pytest.mark.parametrize("text", ["", "Bearer", "Bearer ", "Basic dG9tOnB3", "abc"])
def test_anything_else_in_authorization_is_refused(text):
    with pytest.raises(ApiError) as refused:
        shown_by(asked(Authorization=text), "http")
    assert refused.value.status_code == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer ")


def test_subprotocols_carry_tickets_and_tokens():
    shown = shown_by(asked(Sec_WebSocket_Protocol="opportunity, opportunity.ticket.T1"), "http")
    assert (shown.kind, shown.secret) == ("ticket", "T1")
    shown = shown_by(asked(Sec_WebSocket_Protocol="opportunity.bearer.a.b.c"), "http")
    assert (shown.kind, shown.secret) == ("bearer", "a.b.c")


def test_a_client_gets_back_a_protocol_that_it_offered():
    assert answered_protocol(["opportunity", "opportunity.ticket.T1"]) == "opportunity"
    assert answered_protocol(["opportunity.ticket.T1"]) == "opportunity.ticket.T1"
    assert answered_protocol(["chat"]) is None
    assert len(protocols_of(",".join("abcdefghijkl"))) == 8


def test_under_tls_the_cookie_is_bound_to_the_host():
    assert session_name("https") == "__Host-opportunity-session"
    request = asked(Cookie="opportunity-session=plain; __Host-opportunity-session=bound")
    assert shown_by(request, "https").secret == "bound"
    assert shown_by(request, "http").secret == "plain"


def test_a_write_shows_the_token_of_its_own_session():
    check_xsrf(asked(X_XSRF_Token=xsrf_token("s1")), "s1")
    for wrong in ({}, {"X_XSRF_Token": xsrf_token("s2")}, {"X_XSRF_Token": ""}):
        with pytest.raises(ApiError) as refused:
            check_xsrf(asked(**wrong), "s1")
        assert refused.value.code == "xsrf"
    assert "s1" not in xsrf_token("s1")
