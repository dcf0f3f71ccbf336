"""What resources and streams share: errors worded once, successes as declared, ids of requests."""

import re

import pytest

from app.api.checked import HEADERS, Checked, iso
from app.api.realtime import RealtimeHandler


def test_iso_is_utc_with_milliseconds():
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_767_225_600_007) == "2026-01-01T00:00:00.007Z"


def test_streams_are_checked_as_resources_are():
    assert issubclass(RealtimeHandler, Checked)
    assert RealtimeHandler.opens_stream
    assert not Checked.opens_stream


@pytest.mark.parametrize("path", ["/api/agent/status", "/ws/realtime", "/api/nothing"])
async def test_each_answer_has_a_name_of_its_own_and_the_headers(world, path):
    names = set()
    for _ in range(3):
        _, _, headers = await world.call("GET", path)
        assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])
        names.add(headers["X-Request-Id"])
        assert HEADERS.items() <= dict(headers).items()
    assert len(names) == 3


async def test_a_stream_without_an_upgrade_is_a_problem(world):
    problem = await world.refused(426, "GET", "/ws/realtime")
    assert problem["code"] == "upgrade"
