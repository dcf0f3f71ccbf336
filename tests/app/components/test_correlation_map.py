import numpy as np
import orjson
import pytest
from portfolios import held_in, market

from app.components.correlation_map import (
    MAPS,
    MOST_SHOWN,
    CorrelationMap,
    held_map,
    watched_map,
)
from app.components.island import dumps
from opportunity.risk.exposure import exposure_of

HELD = {"BTC/USDT": 500.0, "ETH/USDT": -2_000.0}


def test_a_hedge_of_what_is_held_is_below_zero() -> None:
    held = held_in(market(), HELD)
    told = held_map(held, exposure_of(held), 0.7)
    assert told["symbols"] == ["ETH/USDT", "BTC/USDT"]  # largest first
    assert told["sides"] == [-1, 1]
    assert told["values"][0][1] == told["values"][1][0] < -0.3
    assert told["values"][0][0] == told["values"][1][1] == 1.0


def test_without_history_it_is_unknown_and_says_why() -> None:
    held = held_in(None, HELD)
    told = held_map(held, exposure_of(held), 0.7)
    assert told["unknown"]
    assert "symbols" not in told
    assert watched_map(("A/USDT",), None, 0.7, {"A/USDT": "gone"})["missing"] == {"A/USDT": "gone"}


def test_more_than_fits_is_counted() -> None:
    names = tuple(f"A{i}/USDT" for i in range(MOST_SHOWN + 3))
    returns = market(60, names)
    held = held_in(returns, {name: float(i + 1) for i, name in enumerate(names)})
    told = held_map(held, exposure_of(held), 0.7)
    assert len(told["symbols"]) == len(told["values"]) == MOST_SHOWN
    assert told["more"] == 3


def test_assets_are_taken_as_longs_and_the_unknown_stays_unknown() -> None:
    matrix = np.array([[1.0, np.nan], [np.nan, 1.0]])
    told = orjson.loads(dumps(watched_map(("A/USDT", "B/USDT"), matrix, 0.7, {})))
    assert told["values"] == [[1.0, None], [None, 1.0]]
    assert told["sides"] == [0, 0]


@pytest.mark.parametrize("of", MAPS)
def test_presses_reach_the_page(of) -> None:
    asked: list = []
    part = CorrelationMap(asked.append, chosen=of)
    part._handle_msg({"type": "map", "of": of})
    assert asked == [{"type": "map", "of": of}]
    assert part.chosen == of
