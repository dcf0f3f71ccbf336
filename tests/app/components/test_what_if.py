import numpy as np
import orjson
import pytest

from app.components.weights_editor import WeightsEditor
from app.components.what_if import (
    POINTS,
    follow,
    missing_state,
    verdict,
    waiting_state,
    what_if_state,
)
from opportunity.backtest.sleeves import Chance, SleevesRun
from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.timeframe import DAY_MS, HOUR_MS
from opportunity.scoring.weights import Weights
from opportunity.trading.setup import TradeSetup

TIME = 50 * DAY_MS + HOUR_MS * np.arange(1, 90 * 24 + 1)


class Market:
    """Answers as `Sleeves` do: the more SAR, the more was earned."""

    setup, source = TradeSetup(), "simulated"
    symbols, timeframes = ("A/USDT", "B/USDT"), ("1h", "4h")
    exists = np.array([name != "whales" for name in DETECTOR_NAMES])

    def run(self, weights) -> SleevesRun:
        drift = float(Weights(**weights.as_dict()).sar - 0.1)
        noise = np.random.default_rng(1).normal(0, 0.002, TIME.size).cumsum()
        return SleevesRun(TIME, 10_000 * np.exp(noise + drift * np.arange(TIME.size) / 2_000),
                          10_000.0, 12)


def test_state_has_both_curves_and_what_they_are_of() -> None:
    market = Market()
    now, draft = market.run(Weights()), market.run(Weights(sar=0.3))
    found = Chance(draft.earned - now.earned, 0.41, 37, 90)
    state = what_if_state(market, now, draft, found, 37)
    assert (state["state"], state["days"], state["symbols"]) == ("ready", 90, 2)
    assert (state["absent"], state["source"]) == (["Whales"], "simulated")
    assert state["draft"]["y"][-1] == round(draft.earned * 1e5)
    assert state["now"]["x"][0] == 0
    assert state["now"]["x"][-1] == (TIME[-1] - TIME[0]) // 60_000
    assert len(state["now"]["x"]) <= POINTS
    assert state["now"]["earned"] == now.earned
    assert state["tried"] == 37
    assert state["noise"]
    assert len(orjson.dumps(state)) < 6_000  # ten times a second while a slider is dragged


def test_state_without_a_draft() -> None:
    market = Market()
    state = what_if_state(market, market.run(Weights()), None, None, 0)
    assert state["draft"] is None
    assert state["verdict"]["text"].startswith("Turn a weight")


@pytest.mark.parametrize(
    ("found", "told", "values"),
    [
        (Chance(0.0, 1.0, 5, 90), "No difference: the same trades.", {}),
        (Chance(0.1, float("nan"), 5, 9), "{n} days are too few to tell from chance.", {"n": 9}),
        (Chance(0.01, 0.41, 5, 90), "Difference within noise (p = {p}).", {"p": "0.41"}),
        (Chance(0.01, 0.02, 37, 90), "p = {p} alone, but the luckiest of {n} sets often looks "
         "like this: within noise.", {"p": "0.020", "n": 37}),
        (Chance(0.01, 0.0005, 10, 90), "More than noise in these days (p = {p}, all tries "
         "allowed for).", {"p": "0.005"}),
        (Chance(0.01, 0.0005, 1, 90), "More than noise in these days (p = {p}, all tries "
         "allowed for).", {"p": "< 0.001"}),
    ],
)
def test_verdict_is_honest(found, told, values) -> None:
    assert verdict(found) == {"text": told, "values": values}


def test_states_without_history() -> None:
    assert waiting_state() == {"state": "waiting"}
    assert missing_state("no bars") == {"state": "missing", "reason": "no bars"}


def test_editor_in_a_notebook_follows_its_weights() -> None:
    weights = Weights()
    editor = WeightsEditor(weights)
    follow(editor, Market())
    assert orjson.loads(editor.what_if)["draft"] is None
    weights.update(sar=0.4)
    state = orjson.loads(editor.what_if)
    assert state["draft"]["earned"] > state["now"]["earned"]
    assert state["tried"] == 1
    weights.update(sar=0.2)
    weights.update(sar=0.4)
    assert orjson.loads(editor.what_if)["tried"] == 2
    editor.set_active(weights.as_dict())
    state = orjson.loads(editor.what_if)
    assert state["draft"] is None
    assert state["now"]["earned"] > 0
