import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.performance import LEAST_TRADES, earned
from opportunity.storage.ledger_pages import StoredTrade

TRADE = StoredTrade(
    number=0, entry_number=0, symbol="BTC/USDT", side=1, opened=0, closed=1, entry=1.0, exit=2.0,
    quantity=1.0, pnl=1.0, fees=0.1, slippage=0.1, funding=0.0, r=1.0, mae=-0.5, mfe=1.5, bars=3,
    reason="TP", n_fills=2, score=0.7, confidence=0.5,
)  # fmt: skip


def _some(pnls, symbols=("BTC/USDT",)):
    return [
        replace(
            TRADE, number=i, pnl=pnl, r=pnl if i % 3 else None, symbol=symbols[i % len(symbols)]
        )
        for i, pnl in enumerate(pnls)
    ]


def test_nothing_traded_is_nothing_earned():
    found = earned([])
    assert (found.trades, found.wins, found.realised, found.by_symbol) == (0, 0, 0.0, ())
    assert math.isnan(found.win_rate)
    assert not found.enough


def test_few_trades_give_sums_but_no_ratios():
    found = earned(_some([5.0] * (LEAST_TRADES - 1)))
    assert found.realised == 5.0 * (LEAST_TRADES - 1)
    assert np.isnan([found.win_rate, found.profit_factor, found.expectancy, found.mean_r]).all()


@given(st.lists(st.floats(-100, 100).filter(lambda x: abs(x) > 1e-3), min_size=LEAST_TRADES,
                max_size=60))
def test_ratios_are_what_their_names_say(pnls):
    found = earned(_some(pnls, ("A/USDT", "B/USDT")))
    wins, losses = [p for p in pnls if p > 0], [p for p in pnls if p < 0]
    assert found.enough
    assert found.trades == len(pnls)
    assert math.isclose(found.win_rate, len(wins) / len(pnls))
    assert math.isclose(found.expectancy, sum(pnls) / len(pnls), abs_tol=1e-9)
    if losses:
        assert math.isclose(found.profit_factor, sum(wins) / -sum(losses), rel_tol=1e-9)
    assert math.isclose(sum(one.pnl for one in found.by_symbol), found.realised, abs_tol=1e-9)
    assert sum(one.trades for one in found.by_symbol) == len(pnls)
    assert sum(one.wins for one in found.by_symbol) == found.wins == len(wins)
