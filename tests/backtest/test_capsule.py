import json
from dataclasses import replace

import numpy as np
import pytest

from opportunity.backtest.capsule import Capsule, code_version, digest_of
from opportunity.errors import ConflictError
from opportunity.kernels import VERSION
from opportunity.trading.records import TRADE
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SETUP = TradeSetup(TradeRecord(min_score=0.6), cash=5_000.0)
CAPSULE = Capsule(
    data="d", first_bars={"A/USDT": 1}, code="c", version="1", weights={"smc": 1.0},
    timeframe_weights=None, signal="", timeframes=("1h", "4h"), decision_timeframe="1h",
    setup=SETUP.as_dict(), start=None, end=5, extras="", seed=3, result="r",
)  # fmt: skip


def test_it_survives_json():
    body = json.loads(json.dumps(CAPSULE.as_dict()))
    assert Capsule.from_dict(body) == CAPSULE
    assert body["id"] == CAPSULE.id
    assert CAPSULE.trade_setup() == SETUP


def test_equal_runs_agree():
    CAPSULE.require(replace(CAPSULE))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", "x"), ("first_bars", {"A/USDT": 2}), ("code", "x"), ("version", "2"),
        ("weights", None), ("timeframe_weights", {"1h": 1.0}), ("signal", "x"),
        ("timeframes", ("1h",)), ("decision_timeframe", "4h"), ("setup", {}), ("start", 1),
        ("end", None), ("extras", "x"), ("seed", 4), ("result", "x"),
    ],
)  # fmt: skip
def test_what_differs_is_named(name, value):
    other = replace(CAPSULE, **{name: value})
    with pytest.raises(ConflictError, match=f"runs must be equal, differed in {name}$"):
        CAPSULE.require(other)
    assert (other.id == CAPSULE.id) == (name == "result")  # the id says what went in


def test_all_that_differs_is_named():
    other = replace(CAPSULE, seed=1, data="x", result="y")
    with pytest.raises(ConflictError, match="differed in data, seed, result"):
        CAPSULE.require(other)


def test_an_unknown_field_is_refused():
    with pytest.raises(TypeError, match="colour"):
        Capsule.from_dict(CAPSULE.as_dict() | {"colour": 1})


def test_a_digest_tells_types_shapes_and_values_apart():
    rows = np.arange(6.0)
    found = {
        digest_of(rows), digest_of(rows.astype(np.float32)), digest_of(rows.reshape(2, 3)),
        digest_of(rows + 1), digest_of(rows, rows), digest_of(rows[:3], rows[3:]), digest_of(),
    }  # fmt: skip
    assert len(found) == 7
    assert digest_of(rows[::2]) == digest_of(rows[::2].copy())


def test_a_digest_of_records_does_not_read_padding():
    one, other = np.zeros(3, TRADE), np.empty(3, TRADE)
    for name in TRADE.names:
        other[name] = 0
    assert digest_of(one) == digest_of(other)
    other["pnl"][1] = 1e-300
    assert digest_of(one) != digest_of(other)


def test_code_is_the_hash_of_all_kernels():
    assert code_version() == VERSION
