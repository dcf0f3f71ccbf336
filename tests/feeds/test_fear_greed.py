from typing import Any

import pytest

from opportunity.feeds.fear_greed import parse_fear_greed
from opportunity.market.observations import FearGreed

ARRIVED = 1_760_000_500_000


def answer(*entries: Any, error: str | None = None) -> dict[str, Any]:
    return {"name": "Fear and Greed Index", "data": list(entries), "metadata": {"error": error}}


def entry(value: Any = "40", timestamp: Any = "1759968000") -> dict[str, Any]:
    return {"value": value, "value_classification": "Fear", "timestamp": timestamp,
            "time_until_update": "3600"}  # fmt: skip


def test_newest_value_is_known_from_its_arrival_on():
    payload = answer(entry("71", "1759881600"), entry(), entry("12", 1_759_795_200))
    expected = FearGreed(1_759_968_000_000, ARRIVED, "alternative.me", 40)
    assert parse_fear_greed(payload, ARRIVED) == expected


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ([], r"payload must be an object, was \[\]"),
        ({}, "data must be a list of values, was None"),
        (answer(), r"data must be a list of values, was \[\]"),
        (answer(entry(), error="too many requests"), "metadata.error must be empty, was 'too many"),
        (answer("40"), "data must hold objects, held '40'"),
        (answer(entry("101")), "value must be >= 0 and <= 100, was 101"),
        (answer(entry("-3")), "value must be a whole number, was '-3'"),
        (answer(entry(40.5)), "value must be a whole number, was 40.5"),
        (answer(entry(True)), "value must be a whole number, was True"),
        (answer(entry(timestamp=None)), "timestamp must be a whole number, was None"),
        (answer(entry(timestamp="1759968000000")), "timestamp must be seconds between 2009 and"),
        (answer(entry(timestamp="1960000000")), r"arrived must be >= the event \(1960000000000\)"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(payload, text):
    with pytest.raises(ValueError, match=text):
        parse_fear_greed(payload, ARRIVED)
