"""The API holds what its document promises, whatever is sent: by schemathesis, in all phases."""

import re
import urllib.request

import pytest

from app.api import resources
from app.api.operations import operations_of

N_OPERATIONS = sum(1 for _, handler in resources() for _ in operations_of(handler)) - 1
"""All of them but the one that it reads the document from."""
OWN_KEY = "DELETE /api/tokens/{id}"
"""With it the examiner would end its own key, and then be told 401 and nothing else."""


def count_of(said: str) -> int:
    found = re.search(r"Tested: (\d+)", said)
    assert found, said[-2_000:]
    return int(found[1])


def check_key(url: str, key: str) -> None:
    request = urllib.request.Request(f"{url}/api/users", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200, "the key did not last"


def test_without_login(open_server, examine):
    assert count_of(examine(open_server.url, most=2)) == N_OPERATIONS
    assert open_server.errors() == []


def test_with_login(closed_server, examine):
    server, key = closed_server
    said = examine(
        server.url, "-H", f"Authorization: Bearer {key}", "--exclude-name", OWN_KEY,
        "--phases", "examples,fuzzing,stateful", most=3,
    )  # fmt: skip
    assert count_of(said) == N_OPERATIONS - 1
    check_key(server.url, key)
    assert server.errors() == []
    assert key not in server.log.read_text(errors="replace")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_without_login_long(open_server, examine, seed):
    assert count_of(examine(open_server.url, most=100, seed=seed)) == N_OPERATIONS
    assert open_server.errors() == []


@pytest.mark.slow
def test_with_login_long(closed_server, examine):
    server, key = closed_server
    said = examine(
        server.url, "-H", f"Authorization: Bearer {key}", "--exclude-name", OWN_KEY, most=100,
        seed=4,
    )
    assert count_of(said) == N_OPERATIONS - 1
    check_key(server.url, key)
    assert server.errors() == []
