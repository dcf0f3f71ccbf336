"""The tiles of the System page: what they say, and what is wrong."""

import systems

from app.components.system_state import Looked, jobs, parts, system_state
from opportunity.feeds.status import FeedStatus

WELL = Looked("", 0.8, 2, 1 << 20, 1 << 30, 1 << 28)


def test_all_is_well() -> None:
    state = system_state(systems.Server(), WELL)
    assert state["troubles"] == []
    assert (state["database"], state["database_ms"], state["size"]) == ("sqlite", 0.8, 1 << 20)
    assert state["simulated"] is True
    assert (state["connections"], state["sent"]) == (5, 40)
    assert state["parts"]["python"].startswith("3.")
    assert "tornado" in parts()


def test_every_trouble_is_said() -> None:
    server = systems.Server()
    server.agent.last_error, server.agent.storage_error = "broke", "disk full"
    server.line = FeedStatus("down", "no answer for 9 s", 1)
    state = system_state(server, Looked("locked"))
    assert [one["values"]["why"] for one in state["troubles"]] == [
        "broke", "no answer for 9 s", "locked", "disk full"]
    assert state["database_ms"] is None
    assert state["size"] is None


def test_before_the_first_scores_and_after_the_agent() -> None:
    server = systems.Server()
    server.scored = None
    assert "history" in system_state(server, WELL)["troubles"][0]["text"]
    server = systems.Server()
    server.agent.running = False
    assert "does not run" in system_state(server, WELL)["troubles"][0]["text"]


def test_jobs_are_counted_by_state() -> None:
    server = systems.Server("queued", "running", "cancelling", "done")
    assert jobs(server) == {"queued": 1, "running": 2, "kept": 4}
