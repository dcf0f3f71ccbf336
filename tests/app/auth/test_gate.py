"""The gate: who may pass, over a real server."""

import pytest

from app.api.problems import ApiError
from app.auth.gate import Gate
from app.auth.roles import LOCAL, Role


class Connection:
    class stream:
        class socket:
            @staticmethod
            def getsockname():
                return ("127.0.0.1", 8000)


class Request:
    protocol, method = "http", "GET"
    connection = Connection()

    def __init__(self, **headers):
        self.headers = {"Host": "localhost:8000"} | headers


def test_this_machine_passes_as_a_trader():
    assert Gate(None).admit(Request(), Role.TRADER, writes=True) == LOCAL


def test_this_machine_is_no_admin():
    with pytest.raises(ApiError, match="403"):
        Gate(None).admit(Request(), Role.ADMIN, writes=False)


def test_strangers_do_not_pass():
    with pytest.raises(ApiError):
        Gate(None).admit(Request(Host="evil.example"), Role.VIEWER, writes=False)
