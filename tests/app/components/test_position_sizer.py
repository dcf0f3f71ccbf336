import orjson
import pytest
from portfolios import bars_of, drawn

from app.components.island import dumps
from app.components.position_sizer import PositionSizer, plan_state, together_state
from opportunity.risk.correlation import check_correlation
from opportunity.risk.sizing import Ticket, plan_position
from opportunity.trading.records import BOUNDS
from opportunity.trading.risk import RiskRecord

TICKET = Ticket(45_000, 44_000, 10_000, 0.02)


def test_all_bounds_are_told_and_the_least_is_marked() -> None:
    plan = plan_position(TICKET, RiskRecord())
    told = orjson.loads(dumps(plan_state(plan)))
    assert [row["name"] for row in told["bounds"]] == list(BOUNDS)
    assert told["binding"] == "notional"
    assert told["value"] == pytest.approx(3_000.0)
    assert told["share"] == pytest.approx(0.3)
    assert told["lost"] == pytest.approx(told["size"] * 1_000)
    assert told["plain_value"] == pytest.approx(9_000.0)
    known = {row["name"]: row["notional"] for row in told["bounds"]}
    assert known["liquidity"] is None  # no volume is known, so it holds nothing
    assert min(v for v in known.values() if v is not None) == pytest.approx(told["value"])


def test_a_size_below_the_least_says_why() -> None:
    plan = plan_position(Ticket(45_000, 44_000, 10_000, 0.02, min_notional=5_000), RiskRecord())
    told = plan_state(plan)
    assert told["size"] == 0.0
    assert "notional must be at least" in told["reason"]


def test_how_it_fits_what_is_held() -> None:
    values = drawn(200, 2)
    bars = {n: bars_of(n, values[:, i]) for i, n in enumerate(("A/USDT", "B/USDT"))}
    told = together_state(check_correlation(("A/USDT", 1), [("B/USDT", 1)], bars, 0.1))
    assert told["with"] == "B/USDT"
    assert told["allowed"] is False
    alone = together_state(check_correlation(("A/USDT", 1), [], {}, 0.1))
    assert (alone["pairs"], alone["with"]) == (0, "")


def test_what_is_told_is_text() -> None:
    part = PositionSizer()
    part.offer(("A/USDT", "B/USDT"), "B/USDT")
    part.tell_plan({"n": 1, "error": "stop must differ"})
    part.tell_together({"n": 1})
    assert orjson.loads(part.state) == {"symbols": ["A/USDT", "B/USDT"], "chosen": "B/USDT"}
    assert orjson.loads(part.plan)["error"] == "stop must differ"
    assert orjson.loads(part.together) == {"n": 1}
