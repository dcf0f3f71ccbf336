import math
from dataclasses import replace

import accounts
import pytest

from app.components.account_state import (
    Around,
    curve_state,
    history_state,
    missing,
    positions_state,
    summary_state,
)
from app.components.island import dumps
from app.components.language import t
from opportunity.trading.risk import RiskRecord

LIMITS = RiskRecord().as_dict()


def said(told) -> str:
    """Say a text, a phrase, or several, in English, as the browser does."""
    if isinstance(told, list):
        return ", ".join(said(one) for one in told)
    if isinstance(told, dict):
        return t("en", told["text"], **{n: said(v) for n, v in told["values"].items()})
    return str(told)


AROUND = Around(LIMITS, True, True)


def test_cards_hold_the_account_and_its_limits():
    told = summary_state(accounts.STATE, AROUND)
    assert told["simulated"]
    assert told["gain"] == pytest.approx(0.00123)
    assert (told["open"], told["open_limit"]) == (2, LIMITS["max_positions"])
    assert told["drawdown_limit"] == LIMITS["max_drawdown"]
    assert said(told["held_back"]) == "Entries held back: drawdown"
    assert "NaN" not in dumps(told)


def test_open_risk_is_what_the_stops_lose_from_here():
    told = summary_state(accounts.STATE, AROUND)
    assert told["risk"] == pytest.approx(0.02 * (91_000 - 89_000))
    assert told["unstopped"] == 1  # ETH has no stop: nobody knows what it may lose
    safe = replace(accounts.LONG, stop=91_500.0)  # the stop is beyond the mark
    assert summary_state(replace(accounts.STATE, positions=(safe,)), AROUND)["risk"] == 0.0


def test_breakers_say_their_state_and_limit():
    lines = {b["name"]: b for b in summary_state(accounts.STATE, AROUND)["breakers"]}
    assert lines["drawdown"]["until"] == accounts.NOW + 24 * accounts.HOUR
    assert lines["daily_loss"]["until"] is None
    assert lines["losing_streak"]["state"] == "HALF_OPEN"
    assert lines["stale_data"]["limit"] == LIMITS["stale_bars"]


def test_positions_largest_first_with_reasons_in_words():
    told = positions_state(accounts.STATE, AROUND)
    assert [p["symbol"] for p in told["positions"]] == ["ETH/USDT", "BTC/USDT"]
    assert told["positions"][0]["leaving"] == "closed by hand"
    assert told["waiting"][0]["why"] == "entry on a signal"
    assert told["missing"] == []
    assert "NaN" not in dumps(told)


@pytest.mark.parametrize(
    ("state", "around", "words"),
    [
        (None, AROUND, "once the agent has read enough history"),
        (None, Around(LIMITS, True, False, "banned until noon"), "banned until noon"),
        (accounts.EMPTY, Around(LIMITS, False, True), "The agent is OFF"),
        (replace(accounts.EMPTY, can_trade=False, why_not="drawdown"), AROUND, "back: drawdown"),
        (accounts.EMPTY, AROUND, "No idea has passed the rules yet., The agent decides"),
        (replace(accounts.EMPTY, n_trades=2), AROUND, "All positions are over"),
    ],
)
def test_empty_account_explains_what_is_missing(state, around, words):
    assert words in said(missing(state, around))
    assert words in said(positions_state(state, around)["missing"])


def test_nothing_but_what_is_missing_before_there_is_an_account():
    assert set(summary_state(None, AROUND)) == {"missing"}


def test_breakers_that_hold_back_have_the_names_of_the_page():
    held = replace(accounts.STATE, why_not="breaker open: daily_loss, losing_streak")
    told = summary_state(held, AROUND)["held_back"]
    assert said(told) == "Entries held back: breaker open: Daily loss, Losing streak"


def test_switched_off_says_that_positions_stay_managed():
    told = summary_state(accounts.STATE, Around(LIMITS, False, True))
    assert said(told["held_back"]) == "Agent OFF: no entries; open positions stay managed"


def test_history_newest_first_in_words():
    told = history_state(accounts.TRADES, accounts.FILLS)
    assert [t["number"] for t in told["trades"]] == [3, 2, 1]
    assert {t["why"] for t in told["trades"]} == {"target reached"}
    assert {f["why"] for f in told["fills"]} == {"stop reached"}
    assert told["trades"][0]["costs"] == pytest.approx(2.2)


def test_curve_begins_with_the_cash():
    curve = accounts.curve()
    told = curve_state(curve, int(curve.time[0]) - 1, 10_500.0)
    assert (told["time"][0], told["equity"][0], told["drawdown"][0]) == (
        curve.time[0] - 1, 10_500.0, 0.0,
    )
    assert len(told["time"]) == len(told["equity"]) == len(told["drawdown"]) == 6
    assert len(curve_state(curve, int(curve.time[0]), 10_500.0)["time"]) == 5
    empty = curve_state(accounts.curve(0), 5, 1.0)
    assert (empty["time"], empty["equity"]) == ([5], [1.0])
    assert not math.isnan(empty["start"])
