from pathlib import Path

import pytest
from receiver import receiving

from app.alerts.channels import open_channels
from opportunity.config_lists import AlertChannel
from opportunity.storage.database import open_database


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def hook():
    with receiving() as hook:
        yield hook


@pytest.fixture
def channel(hook):
    (channel,) = open_channels([AlertChannel("ops", hook.address)], private=True)
    return channel
