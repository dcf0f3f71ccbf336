from types import SimpleNamespace

import numpy as np
import orjson
from surrounded import around

from app.components.island import dumps
from app.components.mood_table import MoodTable, mood_rows
from opportunity.contracts import DETECTOR_NAMES


def _judged() -> SimpleNamespace:
    components = np.full((2, len(DETECTOR_NAMES)), np.nan)
    components[1, DETECTOR_NAMES.index("news")] = -0.25
    return SimpleNamespace(
        snapshot=SimpleNamespace(symbols=("BTC/USDT", "ETH/USDT")),
        consensus=SimpleNamespace(components=components),
    )


def test_rows_say_what_is_known_and_none_for_what_is_not() -> None:
    one, other = mood_rows(around(), _judged())["rows"]
    assert one == {
        "symbol": "BTC/USDT", "sentiment": None, "news": None, "whales": None, "funding": 75.0,
        "interest": None, "accounts": None,
    }  # fmt: skip
    assert (other["symbol"], other["news"]) == ("ETH/USDT", -0.25)


def test_a_symbol_that_is_not_judged_says_nothing() -> None:
    rows = mood_rows(around(symbols=("NEW/USDT",)), _judged())["rows"]
    assert rows[0]["news"] is None
    assert mood_rows(around(), None)["rows"][1]["news"] is None


def test_nothing_before_the_warm_up() -> None:
    assert mood_rows(None, None) == {}
    part = MoodTable(state=dumps(mood_rows(around(), _judged())))
    assert len(orjson.loads(part.state)["rows"]) == 2
