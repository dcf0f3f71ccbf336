import orjson
import pytest
from drawn import drawn

from app.components.account import (
    AccountHands,
    AccountHistory,
    AccountPositions,
    AccountSummary,
    EquityChart,
)


@pytest.mark.parametrize("kind", [AccountHands, AccountPositions, AccountSummary])
def test_presses_reach_the_page_and_their_outcome_comes_back(kind):
    asked: list = []
    part = kind(on_command=asked.append)
    part._handle_msg({"type": "close", "symbol": "BTC/USDT"})
    part._handle_msg("nonsense")
    assert asked == [{"type": "close", "symbol": "BTC/USDT"}]
    for n in (1, 2):
        part.answered("done")
        assert orjson.loads(part.answer) == {"n": n, "text": "done", "error": ""}
    kind()._handle_msg({"type": "close"})  # a part that nobody listens to


def test_state_is_one_text():
    part = AccountSummary()
    part.draw({"equity": float("nan")})
    assert orjson.loads(part.state) == {"equity": None}


def test_parts_without_buttons_only_show():
    assert AccountHistory().state == "{}"
    assert (EquityChart().points, EquityChart().newest) == ("{}", "{}")


def test_a_breaker_is_closed_by_a_second_press_alone():
    line = {"name": "drawdown", "title": "Drawdown", "state": "OPEN", "until": None, "trips": 1,
            "text": ""}  # fmt: skip
    seen = drawn(AccountSummary, """
        const button = root.querySelector(".breaker").querySelector("button"), seen = [];
        const told = () => [button.textContent, model.said.length];
        button.click(); seen.push(told());
        button.dispatchEvent(new Happening("blur")); seen.push(told());
        button.click(); button.click(); seen.push(told(), model.said[0]);
        return seen;""", state=orjson.dumps({"equity": 1.0, "breakers": [line]}).decode())
    assert seen == [
        ["Close it now", 0], ["Close by hand", 0], ["Close by hand", 1],
        {"type": "reset_breaker", "name": "drawdown"},
    ]  # fmt: skip


@pytest.mark.parametrize(("state", "problem", "said"), [
    ("{}", "", ["", "Waiting for the account"]),
    ("{}", "disk is full", ["The history could not be read: disk is full", ""]),
    ('{"trades": [], "fills": []}', "", ["", "No trade has ended yet."]),
])  # fmt: skip
def test_a_history_that_is_not_read_is_not_an_empty_one(state, problem, said):
    assert said == drawn(
        AccountHistory, """
        return [".problem", "tbody"].map((one) => root.querySelector(one).textContent);
        """, state=state, problem=problem,
    )  # fmt: skip
