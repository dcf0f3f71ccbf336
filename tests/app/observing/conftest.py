"""The small world of the API's tests, to be observed."""

from tests.app.api.conftest import world as world
