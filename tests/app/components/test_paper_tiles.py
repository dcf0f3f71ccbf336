import math
from types import SimpleNamespace

import orjson
from drawn import drawn

from app.components.island import dumps
from app.components.paper_tiles import DayRisk, PaperTiles, tiles_state

LIMITS = {"max_positions": 5, "max_drawdown": 0.15, "max_daily_loss": 0.03}


def account(**changed):
    values = {
        "source": "simulated", "equity": 11_000.0, "start_cash": 10_000.0, "day_pnl_pct": -0.01,
        "positions": ("one", "two"), "exposure": -0.2, "leverage": 0.4, "drawdown": 0.03,
        "n_trades": 8, "wins": 5, "can_trade": True, "why_not": "", "storage": "ok",
        "breakers": (SimpleNamespace(name="drawdown", state="closed"),),
    }
    return SimpleNamespace(**values | changed)


def test_figures_stand_beside_their_limits() -> None:
    state = tiles_state(account(), LIMITS, DayRisk(0.018))
    assert (state["open"], state["open_limit"]) == (2, 5)
    assert math.isclose(state["since"], 0.1)
    assert (state["drawdown"], state["drawdown_limit"]) == (0.03, 0.15)
    assert (state["risk"], state["simulated"], state["why_not"]) == (0.018, True, "")
    assert state["breakers"] == []


def test_what_is_not_known_is_none_and_what_stops_is_named() -> None:
    held = account(
        can_trade=False, why_not="", storage="the disk is full",
        breakers=(SimpleNamespace(name="drawdown", state="open"),),
    )
    state = tiles_state(held, {})
    assert (state["risk"], state["open_limit"]) == (None, None)
    assert state["breakers"] == ["drawdown"]
    assert (state["why_not"], state["storage"]) == ("breaker open", "the disk is full")


def test_before_there_is_an_account() -> None:
    assert tiles_state(None, LIMITS) == {"opening": True}
    tiles = PaperTiles()
    tiles.draw(tiles_state(account(), LIMITS, DayRisk(math.nan, "too short a past")))
    assert orjson.loads(tiles.state)["risk"] is None


def test_every_figure_says_what_it_is_also_when_the_account_came_late() -> None:
    state = dumps(tiles_state(account(), LIMITS, DayRisk(0.018, "a short past")))
    titles = drawn(PaperTiles, f"""
        model.set({{ state: {dumps(state)} }});
        return root.querySelectorAll(".one").map((one) => one.title);""")
    assert len(titles) == 5
    assert all(titles)
    assert titles[2] == "a short past"
