import math

import orjson
import pytest
from portfolios import account_of, held_in, market

from app.components.island import dumps
from app.components.var_table import DAYS, LEVELS, VarTable, var_state
from app.risk import TailView
from opportunity.risk.manager import RiskManager

HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0, "SOL/USDT": 900.0}


def view(notionals, returns, level: float = 0.95, days: float = 1.0) -> TailView:
    held, manager = held_in(returns, notionals), RiskManager()
    return TailView(
        account_of(notionals), held, manager.tails(held, level, days),
        manager.components(held, level, days), math.nan,
    )  # fmt: skip


def test_parts_add_up_and_a_hedge_is_last() -> None:
    told = var_state(view(HELD, market()), 0.95, 1.0, 0.05)
    assert [row["name"] for row in told["methods"]] == [
        "historical", "parametric", "cornish_fisher", "monte_carlo",
    ]  # fmt: skip
    assert all(row["es"] >= row["var"] > 0 for row in told["methods"])
    adds = [row["adds"] for row in told["parts"]]
    assert adds == sorted(adds, reverse=True)
    assert math.fsum(adds) == pytest.approx(told["total"])
    assert told["parts"][-1]["symbol"] == "ETH/USDT"
    assert adds[-1] < 0
    assert 0 < told["saved"] < 1


def test_the_limit_is_of_one_day_at_one_level() -> None:
    assert var_state(view(HELD, market()), 0.95, 1.0, 0.05)["limit"] == 0.05
    assert var_state(view(HELD, market(), 0.99), 0.99, 1.0, 0.05)["limit"] is None
    assert var_state(view(HELD, market(), days=5.0), 0.95, 5.0, 0.05)["limit"] is None


def test_what_cannot_be_told_says_why() -> None:
    told = orjson.loads(dumps(var_state(view(HELD, None), 0.95, 1.0, 0.05)))
    assert {row["var"] for row in told["methods"]} == {None}
    assert all(row["note"] for row in told["methods"])
    assert told["parts"] is None
    short = orjson.loads(dumps(var_state(view(HELD, market(60), 0.99), 0.99, 1.0, 0.05)))
    notes = {row["name"]: row["note"] for row in short["methods"]}
    assert "rows" in notes["historical"]
    assert notes["parametric"] == ""


def test_nothing_held_is_nothing_lost() -> None:
    told = var_state(view({}, None), 0.95, 1.0, 0.05)
    assert told["empty"]
    assert told["parts"] == []
    assert told["total"] == 0.0


def test_choices_are_offered() -> None:
    part = VarTable()
    part.offer("0.99", "10")
    told = orjson.loads(part.offered)
    assert told == {"levels": list(LEVELS), "horizons": list(DAYS), "level": "0.99", "days": "10"}
