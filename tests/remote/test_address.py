"""Addresses: one form, and never a secret inside."""

import pytest

from opportunity.remote.address import read_address


@pytest.mark.parametrize(
    ("url", "http", "stream"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws/realtime"),
        ("https://desk.example/agent/", "https://desk.example/agent",
         "wss://desk.example/agent/ws/realtime"),
        ("http://[::1]:9", "http://[::1]:9", "ws://[::1]:9/ws/realtime"),
    ],
)  # fmt: skip
def test_address_is_read(url, http, stream):
    assert read_address(url) == (http, stream)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://host", "http://", "http://h:x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="such as http://127"):
        read_address(url)


@pytest.mark.parametrize("url", ["http://me:pw@host", "http://host?token=abc", "http://host#x"])
def test_a_secret_in_an_address_is_refused_and_not_repeated(url):
    with pytest.raises(ValueError, match="give `token` instead") as caught:
        read_address(url)
    assert "pw" not in str(caught.value)
    assert "abc" not in str(caught.value)
