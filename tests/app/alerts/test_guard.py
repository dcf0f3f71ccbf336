import ipaddress
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.guard import PrivateAddressError, is_near, is_public, is_sending, sending

PRIVATE = (
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::",
    "fd00:ec2::254", "fec0::1", "::7f00:1", "64:ff9b:1::7f00:1", "::ffff:0:7f00:1", "5f00::1",
    "192.0.0.10",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_near_is_not_public(address):
    assert not is_public(address)
    assert is_near(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_far_is_public(address):
    assert is_public(address)
    assert not is_near(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_every_dress(ip):
    plain = is_public(str(ip))
    assert plain == is_public(f"::ffff:{ip}")
    assert is_near(str(int(ip))) == is_near(hex(int(ip))) == (not plain)
    if plain:
        assert ip.is_global


@given(st.ip_addresses())
def test_nothing_public_is_in_a_network_that_is_not(ip):
    if is_public(str(ip)):
        assert not (ip.is_private and not getattr(ip, "ipv4_mapped", None)) or ip in (
            ipaddress.ip_network("64:ff9b::/96") if ip.version == 6 else ()
        )
        assert not ip.is_loopback
        assert not ip.is_link_local


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "box.local", "0x7f.1", "127.1", "2130706433",
     "0177.0.0.1", "[::1]", "metadata.google.internal", "nas.lan"],
)  # fmt: skip
def test_near_hosts_in_all_spellings(host):
    assert is_near(host)


@pytest.mark.parametrize("host", ["api.example.org", "localhost.example.org", "8.8.8.8", ""])
def test_other_hosts_are_left_to_the_connection(host):
    assert not is_near(host)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()


def dial(address):
    with socket.create_connection(address, timeout=2):
        pass


def test_a_guarded_thread_reaches_nothing_near(server):
    with sending(private=False) as message:
        assert is_sending()
        assert not message.refused
        with pytest.raises(PrivateAddressError, match="must be public"):
            dial(server)
        with pytest.raises(PrivateAddressError):
            dial(("localhost", server[1]))  # looked up on the way: judged by what it means
        with socket.socket() as line, pytest.raises(PrivateAddressError):
            line.connect(("localhost", server[1]))  # would be looked up behind the check
    assert message.refused
    assert not is_sending()
    dial(server)


def test_a_name_that_changes_its_mind_is_caught(server, monkeypatch):
    answers = iter(["8.8.8.8", "127.0.0.1"])

    def rebinding(host, port, *_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    first = socket.getaddrinfo("evil.example", server[1])[0][4][0]
    assert is_public(first)
    with sending(private=False), pytest.raises(PrivateAddressError):
        dial(("evil.example", server[1]))


def test_datagrams_and_local_sockets_are_guarded_too(server, tmp_path):
    with sending(private=False):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with datagrams, pytest.raises(PrivateAddressError):
            datagrams.sendto(b"x", server)
        with socket.socket(socket.AF_UNIX) as line, pytest.raises(PrivateAddressError):
            line.connect(str(tmp_path / "log"))


def test_other_threads_and_private_ones_are_free(server):
    failed = []

    def elsewhere():
        try:
            dial(server)
        except OSError as error:
            failed.append(error)

    with sending(private=False):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    with sending(private=True):
        dial(server)
    assert not failed
