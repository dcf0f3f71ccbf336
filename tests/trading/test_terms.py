import numpy as np
import pytest

from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import AT_LIMIT, BY_RISK
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.terms import new_account, new_positions, new_tally, terms_of

RULES, RISKING = TradeRecord(), Sizing()


def terms(rules=RULES, sizing=RISKING, target=False):
    return terms_of(rules, Costs(0.001, 0.002, 0.004), sizing, RiskRecord(), target)[0]


def test_everything_is_packed():
    row = terms(TradeRecord(fill="limit", limit_atr=0.25))
    assert (row["fee"], row["slip"]) == (0.001, 0.004)
    assert (row["fill"], row["limit_atr"]) == (AT_LIMIT, 0.25)
    assert (row["sizing"], row["amount"], row["whole"]) == (BY_RISK, 0.01, 0)
    assert (row["n_targets"], row["take_all"], row["opposite"]) == (3, 1, 1)
    assert row["target_r"].tolist() == [1, 2, 3, 0]
    assert row["max_positions"] == 5
    assert (row["max_volume"], row["max_volatility"]) == (0.01, 0.02)
    assert (row["kelly"], row["payoff"]) == (0.25, 1.5)
    assert row["cooldown_ms"] == 24 * 3_600_000


def test_without_a_stop_there_are_no_targets():
    assert terms(TradeRecord(stop_atr=0.0), Sizing.fixed(0.1))["n_targets"] == 0


def test_sides_to_hold_have_no_stops():
    row = terms(sizing=Sizing.all_in(), target=True)
    assert row["target_mode"] == 1
    for name in ("stop_atr", "trail_atr", "time_stop", "opposite", "n_targets"):
        assert row[name] == 0


@pytest.mark.parametrize("target", [True, False])
def test_a_size_by_risk_needs_a_stop(target):
    with pytest.raises(ValueError, match="sizing must not be by risk without a stop"):
        terms(TradeRecord(stop_atr=1.0 if target else 0.0), target=target)


def test_sides_to_hold_have_no_limit_price():
    with pytest.raises(ValueError, match="fill must be open or close for sides to hold, was limit"):
        terms(TradeRecord(fill="limit"), Sizing.all_in(), target=True)


def test_fresh_records_hold_nothing_but_cash():
    account, positions, tally = new_account(50.0), new_positions(3), new_tally(50.0)
    assert account["cash"] == account["equity"] == account["peak"] == 50.0
    assert positions.shape == (3,)
    assert not positions["side"].any()
    assert np.isnan(positions["stop"]).all()
    assert np.isnan(positions["mark"]).all()
    assert (tally["peak"][0], tally["n"][0]) == (50.0, 0)


@pytest.mark.parametrize("cash", [0, -1.0, float("nan"), float("inf")])
def test_cash_must_be_there(cash):
    with pytest.raises(ValueError, match=f"cash must be finite and > 0, was {cash}"):
        new_account(cash)
    with pytest.raises(TypeError, match="cash must be a number, was '1'"):
        new_account("1")
