import numpy as np
import orjson
import pytest
from surrounded import DAY, NOW, around

from app.components.island import dumps
from app.components.mood_gauge import MOOD_WORDS, MoodGauge, mood_state
from opportunity.live.context import MOODS


def test_every_class_has_words() -> None:
    assert set(MOOD_WORDS) == {*(name for _, name in MOODS), "extreme greed"}


def test_nothing_known_yet() -> None:
    assert mood_state(None) == {}


def test_value_history_and_age() -> None:
    state = mood_state(around(moods=(20, 30, 70), fear_greed=70.0, change=12.0))
    assert (state["value"], state["mood"]["text"], state["change"]) == (70.0, "Greed", 12.0)
    assert state["current"] is True
    assert (state["known"], state["source"]) == (NOW, "test")
    assert state["values"] == [20, 30, 70]
    assert np.diff(state["time"]).tolist() == [DAY, DAY]
    assert state["ends"] == [end for end, _ in MOODS]


def test_a_source_that_fell_silent_is_shown_as_stale() -> None:
    state = mood_state(around(moods=(10,)))
    assert (state["value"], state["mood"]["text"]) == (10.0, "Extreme fear")
    assert state["current"] is False
    assert state["change"] is None


def test_no_source_at_all_is_no_value() -> None:
    state = mood_state(around())
    assert state["value"] is None
    assert state["mood"] is None
    assert state["known"] is None


@pytest.mark.parametrize(("value", "mood"), [(24, "Extreme fear"), (25, "Fear"), (47, "Neutral"),
                                             (55, "Greed"), (76, "Extreme greed")])  # fmt: skip
def test_classes_begin_at_their_number(value, mood) -> None:
    assert mood_state(around(moods=(value,)))["mood"]["text"] == mood


def test_the_state_is_text_without_nan() -> None:
    part = MoodGauge(state=dumps(mood_state(around(moods=(10,)))))
    assert orjson.loads(part.state)["values"] == [10]
