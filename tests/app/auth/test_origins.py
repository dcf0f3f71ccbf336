"""Where requests come from: exact sets, and proxies only where the settings name them."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders

from app.api.problems import ApiError
from app.auth.origins import EDGE, Origins, own_hosts, read_origin
from opportunity.config import Settings, SettingsError

OWN = "http://127.0.0.1:8000"


def asked(headers=None, own="127.0.0.1", peer="127.0.0.1", protocol="http", **more):
    given = HTTPHeaders({"Host": f"{own}:8000"} | (headers or {}))
    socket = SimpleNamespace(getsockname=lambda: (own, 8000, 0, 0))
    connection = SimpleNamespace(stream=SimpleNamespace(socket=socket))
    return SimpleNamespace(
        headers=given, connection=connection, remote_ip=peer, protocol=protocol, **more
    )


def test_own_hosts_are_exact_names_with_the_port():
    hosts = own_hosts("127.0.0.1", 8000)
    assert hosts == {"localhost:8000", "127.0.0.1:8000", "[::1]:8000"}
    assert "localhost" in own_hosts("::1", 80)
    assert own_hosts("192.168.0.5", 8000) == {"192.168.0.5:8000"}


@pytest.mark.parametrize("own", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_known(own):
    arrival = Origins(Settings()).arrival(asked({"Host": "localhost:8000"}, own))
    assert arrival.loopback


@pytest.mark.parametrize("own", ["192.168.0.5", "10.1.1.1", "2001:db8::1"])
def test_other_addresses_are_not_loopback_and_have_no_names(own):
    numeric = f"[{own}]" if ":" in own else own
    arrival = Origins(Settings()).arrival(asked({"Host": f"{numeric}:8000"}, own))
    assert not arrival.loopback
    with pytest.raises(ApiError) as refused:
        Origins(Settings()).arrival(asked({"Host": "localhost:8000"}, own))
    assert refused.value.code == "wrong_host"


def test_hosts_of_named_origins_are_ours():
    origins = Origins(Settings(origins=("https://desk.example.org",)))
    assert origins.arrival(asked({"Host": "Desk.example.org"})).host == "desk.example.org"
    for other in ("desk.example.org.evil.example", "evil-desk.example.org", "desk.example.org:81"):
        with pytest.raises(ApiError):
            origins.arrival(asked({"Host": other}))


def test_forwarding_is_believed_only_from_named_proxies():
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    trusting = Origins(Settings(trusted_proxies=("127.0.0.1", "10.0.0.0/8")))
    arrival = trusting.arrival(asked(told))
    assert (arrival.address, arrival.scheme, arrival.proxied) == ("203.0.113.9", "https", True)
    assert not arrival.loopback
    arrival = trusting.arrival(asked(told, peer="192.168.7.7"))
    assert (arrival.address, arrival.scheme, arrival.proxied) == ("192.168.7.7", "http", False)
    arrival = Origins(Settings()).arrival(asked(told))
    assert (arrival.address, arrival.scheme) == ("127.0.0.1", "http")


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.7, 10.0.0.3", "10.0.0.7"),
        ("1.2.3.4, rubbish, 10.0.0.3", "10.0.0.3"),
        ("", "10.0.0.1"),
    ],
)
def test_what_a_caller_writes_before_the_proxy_counts_for_nothing(chain, address):
    origins = Origins(Settings(trusted_proxies=("10.0.0.0/8",)))
    assert origins.arrival(asked({"X-Forwarded-For": chain}, peer="10.0.0.1")).address == address


@given(st.text(max_size=60))
def test_a_host_is_ours_exactly_or_refused(text):
    origins = Origins(Settings(origins=("https://desk.example.org",)))
    host = text.strip().lower()
    ours = own_hosts("127.0.0.1", 8000) | {"desk.example.org"}
    try:
        headers = {"Host": text}
        arrival = origins.arrival(SimpleNamespace(**vars(asked()) | {"headers": headers}))
    except ApiError:
        assert text.lower() not in ours
    else:
        assert arrival.host in ours or host in ours


EVIL = [
    "http://evil.example", "null", "", "http://localhost:8000", "https://127.0.0.1:8000",
    "http://127.0.0.1:8000.evil.example", "http://127.0.0.1:80001", "http://127.0.0.1:8000/",
    "http://desk.example.org", "https://desk.example.org.evil.example",
    "https://xdesk.example.org", "https://desk.example.org:444",
]  # fmt: skip


@pytest.mark.parametrize("origin", EVIL)
@pytest.mark.parametrize("strictly", [False, True])
def test_other_origins_are_refused(origin, strictly):
    origins = Origins(Settings(origins=("https://desk.example.org",)))
    request = asked({"Origin": origin})
    with pytest.raises(ApiError) as refused:
        origins.check_origin(request, origins.arrival(request), strictly)
    assert refused.value.code == "cross_origin"


@pytest.mark.parametrize("origin", [OWN, "https://desk.example.org", "https://DESK.example.org"])
def test_own_origins_pass(origin):
    origins = Origins(Settings(origins=("https://desk.example.org",)))
    request = asked({"Origin": origin, "Sec-Fetch-Site": "same-origin"})
    origins.check_origin(request, origins.arrival(request), strictly=True)


def test_a_missing_origin_passes_only_where_no_cookie_counts():
    origins, request = Origins(Settings()), asked()
    arrival = origins.arrival(request)
    origins.check_origin(request, arrival, strictly=False)
    with pytest.raises(ApiError):
        origins.check_origin(request, arrival, strictly=True)
    same = asked({"Sec-Fetch-Site": "same-origin"})
    origins.check_origin(same, arrival, strictly=True)
    for site in ("cross-site", "same-site"):
        with pytest.raises(ApiError):
            origins.check_origin(asked({"Sec-Fetch-Site": site}), arrival, strictly=False)


def test_processes_of_this_server_show_a_secret():
    origins = Origins(Settings(), edge_secret="s3cret")
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert origins.arrival(asked({EDGE: "s3cret"} | told)).address == "203.0.113.9"
    assert origins.arrival(asked({EDGE: "wrong"} | told)).address == "127.0.0.1"
    assert Origins(Settings()).arrival(asked({EDGE: ""} | told)).address == "127.0.0.1"


@pytest.mark.parametrize(
    "text", ["*", "https://*.example.org", "desk.example.org", "https://a/b", "ftp://a", "https://",
             "https://a:x", "https://user@a", "https://a?b"],
)  # fmt: skip
def test_an_origin_is_exact(text):
    with pytest.raises(SettingsError, match="origins must be"):
        read_origin(text)


def test_origins_are_written_as_browsers_write_them():
    assert read_origin("HTTPS://Desk.Example.org:443/") == "https://desk.example.org"
    assert read_origin("http://[::1]:8000") == "http://[::1]:8000"


def test_a_proxy_is_an_address():
    with pytest.raises(SettingsError, match="trusted_proxies must be addresses"):
        Origins(Settings(trusted_proxies=("proxy.example",)))
