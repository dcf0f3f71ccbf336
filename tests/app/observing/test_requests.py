"""What happens around a request: names in the log, numbers, one line."""

import asyncio
import logging

import pytest
import structlog
from structlog.testing import LogCapture

from app.observing.observing import Observing
from app.observing.requests import SLOW_S, ended


@pytest.fixture
def lines():
    """Every line as a mapping, with what belongs to its request."""
    capture = LogCapture()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, capture],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=False,
    )
    yield capture.entries
    structlog.reset_defaults()


def counted(world, name: str, **labels: str) -> float:
    registry = Observing.of(world.application).registry
    return registry.get_sample_value(f"opportunity_{name}", labels) or 0.0


async def test_every_line_of_a_request_has_its_name_and_user(world, lines) -> None:
    seen = []
    for path in ("/health/live", "/api/agent/status", "/api/nothing"):
        _, _, headers = await world.call("GET", path)
        (line,) = [x for x in lines if x["event"] == "request" and x["path"] == path]
        assert line["request_id"] == headers["X-Request-Id"]
        assert line["user"] == "api"
        assert line["log_level"] == "debug"
        assert line["ms"] >= 0
        seen.append(line["request_id"])
    assert len(set(seen)) == 3
    refused = [x for x in lines if x["event"] == "request refused"]
    assert [x["request_id"] for x in refused] == [seen[2]]
    assert "request_id" not in structlog.contextvars.get_contextvars()


async def test_names_do_not_mix_among_requests_at_once(world, lines) -> None:
    answers = await asyncio.gather(*(
        world.call("GET", f"/api/nothing{i}") for i in range(20)
    ))  # fmt: skip
    told = {x["path"]: x["request_id"] for x in lines if x["event"] == "request"}
    for i, (_, problem, headers) in enumerate(answers):
        assert told[f"/api/nothing{i}"] == headers["X-Request-Id"] == problem["request_id"]


async def test_answers_and_problems_are_counted(world) -> None:
    for _ in range(3):
        await world.call("GET", "/api/agent/status")
    await world.call("GET", "/api/nothing")
    await world.call("GET", "/health/live", headers={"Host": "evil.example"})
    of = {"method": "GET", "route": "/api/agent/status", "status": "2xx"}
    assert counted(world, "http_requests_total", **of) == 3
    assert counted(world, "refusals_total", code="not_found", status="404") == 1
    assert counted(world, "refusals_total", code="wrong_host", status="403") == 1
    assert counted(
        world, "http_request_duration_seconds_count", route="/api/agent/status"
    ) == 3


async def test_refused_logins_are_counted(world) -> None:
    before = counted(world, "logins_refused_total")
    status, _, _ = await world.call(
        "GET", "/api/agent/status", headers={"Authorization": "Bearer opp_wrong_secret"}
    )
    assert status == 401
    assert counted(world, "logins_refused_total") == before + 1
    await world.call("GET", "/api/nothing")
    assert counted(world, "logins_refused_total") == before + 1


async def test_a_slow_answer_is_told_at_info(world, lines) -> None:
    class Request:
        method, path, remote_ip, headers = "GET", "/api/x\r\nevil", "127.0.0.1", ()

        def request_time(self) -> float:
            return SLOW_S + 0.5

    class Handler:
        request, application = Request(), world.application

        def get_status(self) -> int:
            return 200

    ended(Handler())
    (line,) = [x for x in lines if x["event"] == "request"]
    assert line["log_level"] == "info"
    assert line["ms"] == 1_500.0


async def test_an_application_that_is_not_observed_answers_too(world) -> None:
    del world.application.settings["observing"]
    status, _, _ = await world.call("GET", "/health/live")
    assert status == 200
    Observing.install(world.application, world.services, world.realtime, None)
