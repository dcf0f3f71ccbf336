import orjson
from portfolios import held_in, market

from app.components.island import dumps
from app.components.stress_table import StressTable, stress_state
from opportunity.risk.stress import SCENARIOS, Stressed, stress

HELD = {"ETH/USDT": 2_000.0, "SOL/USDT": -500.0}


def test_every_scenario_is_told_the_worst_first() -> None:
    told = stress_state(stress(held_in(market(), HELD)), False)
    assert {row["name"] for row in told["scenarios"]} == {one.name for one in SCENARIOS}
    found = [row["pnl"] for row in told["scenarios"]]
    assert found == sorted(found)
    assert told["scenarios"][0]["worst"] == "ETH/USDT"
    assert all(row["title"]["text"] and row["assumes"]["text"] for row in told["scenarios"])


def test_the_unknown_is_last_and_says_why() -> None:
    told = orjson.loads(dumps(stress_state(stress(held_in(None, HELD)), False)))
    last = told["scenarios"][-1]
    assert last["pnl"] is None
    assert "returns of every position" in last["note"]
    assert told["scenarios"][0]["pnl"] < 0


def test_a_scenario_without_words_keeps_its_own() -> None:
    told = stress_state((Stressed("meteor", "It falls.", -1.0, -0.1),), False)["scenarios"][0]
    assert (told["title"], told["assumes"]) == ("meteor", "It falls.")


def test_it_is_drawn_as_one_text() -> None:
    part = StressTable()
    part.draw(stress_state((), True))
    assert orjson.loads(part.state) == {"empty": True, "scenarios": []}
