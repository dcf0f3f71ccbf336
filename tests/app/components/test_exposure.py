import orjson
import pytest
from portfolios import NAMES, held_in, market

from app.components.exposure import MOST_ROWS, ExposureView, exposure_state
from app.components.island import dumps
from opportunity.risk.exposure import exposure_of
from opportunity.trading.risk import RiskRecord

HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0, "SOL/USDT": 100.0}


def told(notionals, returns=None, equity: float = 10_000.0) -> dict:
    held = held_in(returns, notionals, equity)
    return exposure_state(held, exposure_of(held), RiskRecord())


def test_sides_assets_and_clusters_add_up() -> None:
    found = told(HELD, market())
    assert (found["long"], found["short"], found["net"]) == (2_100.0, 500.0, 1_600.0)
    assert [row["symbol"] for row in found["assets"]] == list(HELD)  # largest first
    assert found["assets"][1]["share"] == pytest.approx(-0.05)
    assert sum(row["net"] for row in found["clusters"]) == pytest.approx(found["net"])
    assert sum(row["gross"] for row in found["clusters"]) == pytest.approx(found["gross"])
    assert found["limit"] == RiskRecord().max_position


def test_clusters_are_unknown_without_history_but_empty_when_nothing_is_held() -> None:
    assert told(HELD)["clusters"] is None
    assert told({}, market())["clusters"] == []


def test_many_assets_are_counted_not_listed() -> None:
    found = told({f"A{i}/USDT": float(i + 1) for i in range(MOST_ROWS + 7)})
    assert len(found["assets"]) == MOST_ROWS
    assert found["more"] == 7


def test_without_equity_no_share_is_made_up() -> None:
    found = orjson.loads(dumps(told({NAMES[0]: 10.0}, equity=0.0)))
    assert found["assets"][0]["share"] is None
    assert found["assets"][0]["notional"] == 10.0


def test_it_is_drawn_as_one_text() -> None:
    part = ExposureView()
    part.draw(told(HELD))
    assert orjson.loads(part.state)["gross"] == 2_600.0
