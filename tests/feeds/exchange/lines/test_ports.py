"""The real venue and the real feed are what lines expect."""

import inspect
from typing import get_type_hints

import pytest

from opportunity.feeds.exchange.lines.ports import Sink, StreamVenue
from opportunity.feeds.exchange.venue.venue import Venue
from tests.feeds.exchange.wires import Heard, PuppetVenue


@pytest.mark.parametrize("kind", [Venue, PuppetVenue])
@pytest.mark.parametrize("name", ["has", "may_connect", "stream", "book"])
def test_venue_answers_as_lines_ask(kind: type, name: str) -> None:
    wanted = inspect.signature(getattr(StreamVenue, name)).parameters
    assert list(inspect.signature(getattr(kind, name)).parameters) == list(wanted)
    asked = inspect.iscoroutinefunction(getattr(StreamVenue, name))
    assert inspect.iscoroutinefunction(getattr(kind, name)) == asked


def test_sink_of_the_tests_is_one() -> None:
    for name in ("frame", "connected", "lost", "prints", "book"):
        wanted = get_type_hints(getattr(Sink, name))
        assert get_type_hints(getattr(Heard, name)) == wanted
