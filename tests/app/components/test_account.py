import orjson
import pytest

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
