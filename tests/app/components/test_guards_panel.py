import math

import numpy as np
import orjson
import pytest

from app.components.guards_panel import MEANINGS, QUESTIONS, GuardsPanel, guards_state
from app.components.island import dumps
from app.promote import Examined
from opportunity.backtest.guards import Evidence, Guard, Guards, judge


def examined(*passed):
    made = tuple(
        Guard(name, 0.5, 0.95, ok, f"{name} said.", "more trades")
        for name, ok in zip(QUESTIONS, passed, strict=False)
    )
    return Examined({"smc": 1.0}, Guards(made), "data", 12_345)


def test_every_guard_has_a_question_and_a_meaning() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.01, 400)
    names = {guard.name for guard in judge(Evidence(returns, 50))}
    assert names == set(QUESTIONS) == set(MEANINGS)


@pytest.mark.parametrize(("passed", "words"), [
    ((True, True), "It may be believed"), ((False, False), "Do not believe it"),
    ((True, False), "Not to be believed yet"),
])
def test_the_verdict_is_plain(passed, words) -> None:
    told = guards_state(examined(*passed))
    assert told["verdict"]["text"].startswith(words)
    assert told["passed"] is all(passed)
    assert bool(told["advice"]) is not all(passed)
    assert told["trials"] == 12_345


def test_what_was_not_measured_is_null_not_a_number() -> None:
    guard = Guard("pbo", math.nan, 0.05, False, "Not measured.")
    told = orjson.loads(dumps(guards_state(Examined({}, Guards((guard,)), "", 1))))
    assert told["guards"][0]["value"] is None


def test_commands_reach_the_page_and_an_answer_is_one_each_time() -> None:
    told = []
    panel = GuardsPanel(on_command=told.append)
    panel._handle_msg({"type": "ask"})
    GuardsPanel()._handle_msg({"type": "ask"})
    assert told == [{"type": "ask"}]
    panel.draw({"error": "no"})
    first = panel.state
    panel.draw({"error": "no"})
    assert panel.state != first
