"""REST: reads are tried again, commands count once, nothing follows a redirection."""

import pytest

from opportunity.remote.address import read_address
from opportunity.remote.line import Line
from opportunity.remote.problems import RemoteError


@pytest.fixture
def line(address, elsewhere):
    made = Line(read_address(address), "opp_secret")
    yield made
    elsewhere.run(made.close())


def test_json_comes_and_the_token_goes_in_a_header(line, elsewhere, scripted):
    found = elsewhere.run(line.get("/api/agent/status", missing=None))
    assert found["source"] == "simulated"
    method, path, headers = scripted.asked[-1]
    assert (method, path) == ("GET", "/api/agent/status")
    assert headers["Authorization"] == "Bearer opp_secret"


def test_a_read_is_tried_again(line, elsewhere, scripted):
    scripted.failures = [503, 503]
    assert elsewhere.run(line.get("/api/agent/status"))["enabled"]
    assert len(scripted.asked) == 3


def test_after_three_attempts_it_is_told(line, elsewhere, scripted):
    scripted.failures = [503] * 3
    with pytest.raises(RemoteError, match="does not work") as caught:
        elsewhere.run(line.get("/api/agent/status"))
    assert caught.value.status == 503
    assert caught.value.request_id == "r1"


def test_what_is_wrong_is_not_tried_again(line, elsewhere, scripted):
    with pytest.raises(RemoteError, match="nothing at this path"):
        elsewhere.run(line.get("/api/none"))
    assert len(scripted.asked) == 1


def test_a_command_that_is_tried_again_keeps_its_key(line, elsewhere, scripted):
    scripted.failures = [503]
    answer = elsewhere.run(line.ask("POST", "/api/echo", {"a": 1}))
    assert answer.value == {"body": {"a": 1}}
    keys = {headers["Idempotency-Key"] for _, _, headers in scripted.asked}
    assert len(keys) == 1


def test_a_write_without_key_is_sent_once(line, elsewhere, scripted):
    scripted.failures = [503]
    with pytest.raises(RemoteError):
        elsewhere.run(line.ask("PUT", "/api/config/weights", {}))
    assert len(scripted.asked) == 1


def test_nobody_there_is_told_without_the_token(elsewhere, scripted, address):
    elsewhere.run(scripted.drop())
    line = Line(read_address("http://127.0.0.1:9"), "opp_secret")
    with pytest.raises(RemoteError, match=r"no answer from http://127\.0\.0\.1:9") as caught:
        elsewhere.run(line.ask("DELETE", "/x"))
    elsewhere.run(line.close())
    assert caught.value.passing
    assert "opp_secret" not in str(caught.value)
