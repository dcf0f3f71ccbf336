import asyncio

import pytest
from sessions import WARM, StepFeed, agent_of, live

from app.verify import find_session, new_session, sessions_folder, verify_session
from opportunity.storage.session import SessionError

NOW = 1_767_614_400_123  # 2026-01-05 12:00 UTC


def record(home) -> None:
    async def run() -> None:
        feed = StepFeed()
        feed.steps = [feed.batch(b, (0, 1, 2)) for b in range(WARM, WARM + 40)]
        await live(agent_of(feed, new_session(home, NOW)), feed.done)

    asyncio.run(run())


def test_new_session_is_named_by_its_start(tmp_path) -> None:
    assert new_session(tmp_path, NOW) == tmp_path / "sessions" / "20260105T120000Z"
    new_session(tmp_path, NOW).mkdir(parents=True)
    assert new_session(tmp_path, NOW).name == "20260105T120000Z-1"


def test_session_is_found_by_name_by_path_and_as_the_latest(tmp_path) -> None:
    record(tmp_path)
    record(tmp_path)
    folder = sessions_folder(tmp_path)
    assert find_session("latest", tmp_path).name == "20260105T120000Z-1"
    assert find_session("20260105T120000Z", tmp_path) == folder / "20260105T120000Z"
    assert find_session(str(folder / "20260105T120000Z"), tmp_path / "other").parent == folder
    assert verify_session("latest", tmp_path).equal


def test_session_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(SessionError, match="must hold a session, is empty"):
        find_session("latest", tmp_path)
    record(tmp_path)
    with pytest.raises(SessionError, match="Did you mean '20260105T120000Z'"):
        find_session("20260105T120000", tmp_path)
