"""Services for the tests of the app's own modules."""

import pytest
from served import build, settings_of

from app.services import Services


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
