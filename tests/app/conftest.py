"""Services for the tests of the app's own modules."""

from types import SimpleNamespace

import pytest
from served import build, settings_of

from app.services import Services
from opportunity.market.wall import wall_ms


@pytest.fixture
async def services(tmp_path):
    """Services whose agent has not started: enough for what people turn."""
    made = build(settings_of(tmp_path))
    yield made
    await made.stop()


@pytest.fixture
async def live(tmp_path):
    """Services with a running agent, at the start of the stream."""
    made = build(settings_of(tmp_path))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def again(tmp_path):
    """Stop services and make them anew over the same folder."""
    made: list[Services] = []

    async def restart(services: Services, **values) -> Services:
        await services.stop()
        made.append(build(settings_of(tmp_path, **values)))
        return made[-1]

    yield restart
    for one in made:
        await one.stop()


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no window of the rate limits end in the middle of a test."""
    middle = wall_ms() // 60_000 * 60 + 30.0
    still = SimpleNamespace(time=lambda: middle)
    monkeypatch.setattr("limits.storage.memory.time", still)
    monkeypatch.setattr("limits.strategies.time", still)
