"""Headers through an edge: nobody outside can say who they are or that they belong to us."""

from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from app.edge.forwarding import MARK, Forwarding, kept, kept_raw, peer_of

SECRET = "shared"


def request(peer: str = "192.0.2.7", **headers: str) -> HTTPServerRequest:
    class Context:
        remote_ip, protocol = peer, "http"

    class Connection:
        context = Context()

    given = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    connection: Any = Connection()
    given["Host"] = "h"
    return HTTPServerRequest(
        headers=given, connection=connection, start_line=RequestStartLine("GET", "/", "HTTP/1.1")
    )


def passed(forwarding: Forwarding, asked: HTTPServerRequest) -> dict[str, str]:
    pairs = forwarding.request(asked)
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return {name.title(): value for name, value in pairs if name != "Host"}


def test_what_strangers_say_of_themselves_is_dropped() -> None:
    asked = request(
        X_Forwarded_For="10.0.0.1", X_Forwarded_Proto="https", X_Forwarded_Host="evil",
        Forwarded="for=10.0.0.1", X_Real_Ip="10.0.0.1", Via="1.1 x", X_Opportunity_Edge="guess",
        X_Forwarded_Port="1", Authorization="Bearer t", Cookie="a=b",
    )  # fmt: skip
    assert passed(Forwarding(SECRET), asked) == {
        "Authorization": "Bearer t", "Cookie": "a=b", "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "http", MARK.title(): SECRET,
    }  # fmt: skip


@pytest.mark.parametrize(
    "trusted", [("192.0.2.7",), ("192.0.2.0/24",), ("2001:db8::1", "192.0.2.7")]
)
def test_a_trusted_proxy_is_believed_and_added(trusted: tuple[str, ...]) -> None:
    asked = request(X_Forwarded_For="10.0.0.1, 10.0.0.2", X_Forwarded_Proto="https")
    found = passed(Forwarding(SECRET, trusted), asked)
    assert found["X-Forwarded-For"] == "10.0.0.1, 10.0.0.2, 192.0.2.7"
    assert found["X-Forwarded-Proto"] == "https"


def test_another_edge_is_believed_by_its_secret() -> None:
    asked = request(X_Opportunity_Edge=SECRET, X_Forwarded_For="10.0.0.1")
    assert passed(Forwarding(SECRET), asked)["X-Forwarded-For"] == "10.0.0.1, 192.0.2.7"
    assert not Forwarding("").believes(request(X_Opportunity_Edge=""))
    assert not Forwarding(SECRET).believes(request(X_Opportunity_Edge="sharedx"))


def test_what_another_edge_asks_for_itself_stays_its_own() -> None:
    asked = request(X_Opportunity_Edge=SECRET, X_Own="1")
    assert passed(Forwarding(SECRET), asked) == {"X-Own": "1", MARK.title(): SECRET}
    guessed = request(X_Opportunity_Edge="guess")
    assert passed(Forwarding(SECRET), guessed)["X-Forwarded-For"] == "192.0.2.7"


def test_a_strange_protocol_is_not_passed_on() -> None:
    asked = request(X_Forwarded_Proto="javascript")
    assert passed(Forwarding(SECRET, ("192.0.2.7",)), asked)["X-Forwarded-Proto"] == "http"


def test_what_belongs_to_one_connection_stays_behind() -> None:
    headers = HTTPHeaders()
    for name, value in (
        ("Connection", "keep-alive, X-Private"), ("X-Private", "1"), ("Keep-Alive", "5"),
        ("TE", "trailers"), ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c"),
        ("Expect", "100-continue"), ("Accept", "a"), ("Accept", "b"),
    ):  # fmt: skip
        headers.add(name, value)
    assert kept(headers) == [("Accept", "a"), ("Accept", "b")]


def test_answers_keep_each_cookie_and_never_show_the_secret() -> None:
    found = kept_raw([
        (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"Connection", b"close"),
        (MARK.encode(), SECRET.encode()), (b"X-Name", "\xe9".encode("latin-1")),
    ])  # fmt: skip
    assert list(found.get_all()) == [
        ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Name", "\xe9"),
    ]  # fmt: skip


def test_peer_is_the_address_of_the_connection() -> None:
    assert peer_of(request("::ffff:127.0.0.1")) == "127.0.0.1"
    assert Forwarding(SECRET, ("127.0.0.1",)).believes(request("::ffff:127.0.0.1"))
    assert not Forwarding(SECRET, ("127.0.0.1",)).believes(request("no address"))


def test_own_requests_carry_nothing_but_the_mark() -> None:
    assert Forwarding(SECRET).own == {MARK: SECRET}
