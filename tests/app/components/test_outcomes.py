import orjson
import pytest
from ideas import IDEA, START

from app.components.island import dumps
from app.components.outcomes import LED_BY, OutcomesTable, led_by, outcomes_state
from opportunity.contracts import DETECTOR_NAMES
from opportunity.storage.decisions import Decision
from opportunity.storage.outcomes import UNKNOWN, Outcome

WON = Outcome(1, 4, START + 1, "up", 1, 0.02, 1.2, 1.5, -0.3)
LOST = Outcome(1, 24, START + 2, "down", 0, -0.01, -0.9, 0.2, -1.1)
GONE = Outcome(1, 48, START + 3, UNKNOWN, -1, 0.0, 0.0, 0.0, 0.0)


def _decision(*outcomes: Outcome, **fields) -> Decision:
    return Decision(7, IDEA._replace(**fields), None, outcomes)


def test_a_row_with_its_outcomes() -> None:
    state = outcomes_state([_decision(WON, LOST, GONE)], True, 9, ("BTC/USDT",), "simulated")
    (row,) = state["rows"]
    assert (state["more"], state["looked"], state["stamp"]) == (True, 9, "simulated")
    assert (row["id"], row["side"], row["led"], row["success"]) == (7, 1, "smc", 0.52)
    assert row["parts"] == [["harmonic", 0.1], ["smc", 0.3]]
    assert sum(value for _, value in row["parts"]) == pytest.approx(row["net"])
    won, lost = row["outcomes"]["4"], row["outcomes"]["24"]
    assert (won["what"], won["r"], won["move"]) == ("right", 1.0, 0.02)
    assert (lost["what"], lost["r"], lost["worst"]) == ("wrong", -1.0, -1.1)
    assert row["outcomes"]["48"] == {"what": "unknown"}
    assert "12" not in row["outcomes"]  # its horizon is not over


def test_nothing_known_goes_as_null() -> None:
    state = outcomes_state([_decision(success=float("nan"))], False, 1, (), "x")
    assert orjson.loads(dumps(state))["rows"][0]["success"] is None


@pytest.mark.parametrize(
    ("side", "parts", "leader"),
    [(1, {"smc": 0.3, "news": 0.1}, "smc"), (-1, {"smc": 0.3, "news": -0.1}, "news"),
     (1, {"smc": -0.1}, ""), (1, {}, "")],
)  # fmt: skip
def test_the_leader_speaks_for_the_side(side, parts, leader) -> None:
    assert led_by(_decision(side=side, contributions=parts)) == leader


def test_filters_take_known_values_alone() -> None:
    assert ("all", *DETECTOR_NAMES) == LED_BY
    part = OutcomesTable(side="bullish", made="untraded", detector="smc", outcome="open")
    for name in ("side", "made", "detector", "outcome"):
        with pytest.raises(ValueError, match="nonsense"):
            setattr(part, name, "nonsense")
    with pytest.raises(ValueError, match="501"):
        part.wanted = 501
