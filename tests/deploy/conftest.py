"""One real server for all that is put around it."""

import pytest

from tests.deploy.tools import serve


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    made = serve(tmp_path_factory.mktemp("served"))
    yield made
    made.started.stop()
