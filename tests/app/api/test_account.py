from dataclasses import fields, replace

import accounts
import pytest

from app.api.account import (
    audit_of,
    breaker_of,
    fill_name,
    fill_of,
    order_of,
    performance_of,
    portfolio_of,
    position_of,
    side_name,
    trade_of,
    waiting_of,
)
from app.performance import earned
from opportunity.contracts.portfolio import PortfolioAnswer
from opportunity.live.portfolio import PortfolioState
from opportunity.storage.events import StoredEvent


def test_answer_has_all_of_the_account_and_says_that_it_is_paper():
    assert set(PortfolioAnswer.model_fields) == {f.name for f in fields(PortfolioState)} | {"paper"}
    told = portfolio_of(accounts.STATE)
    assert told.paper is True
    assert (told.source, told.equity, told.can_trade) == ("simulated", 10_012.3, False)
    assert [p.symbol for p in told.positions] == ["BTC/USDT", "ETH/USDT"]
    assert [b.state for b in told.breakers] == ["CLOSED", "OPEN", "HALF_OPEN", "CLOSED"]


def test_undefined_is_null_and_sides_have_names():
    told = position_of(accounts.SHORT)
    assert (told.side, told.stop, told.pnl_r, told.targets) == ("SHORT", None, None, [])
    assert position_of(accounts.LONG).id == "BTCUSDT"
    waits = waiting_of(accounts.WAITING)
    assert (waits.side, waits.limit, waits.id) == ("BUY", None, "SOLUSDT")
    assert [side_name(1), side_name(-1), fill_name(1), fill_name(-1)] == [
        "LONG", "SHORT", "BUY", "SELL",
    ]


def test_times_that_there_are_not_are_null():
    closed, opened = map(breaker_of, accounts.BREAKERS[:2])
    assert (closed.until, closed.tripped) == (None, None)
    assert (opened.until, opened.tripped) == (accounts.NOW + 24 * accounts.HOUR, accounts.NOW)


def test_rows_of_the_ledger_travel_whole():
    assert order_of(accounts.ORDERS[0]).size_by == "risk"
    assert fill_of(accounts.FILLS[0]).reason == "SL"
    assert trade_of(accounts.TRADES[0]).pnl == accounts.TRADES[0].pnl


def test_performance_says_when_it_does_not_know():
    told = performance_of(accounts.STATE, earned(accounts.TRADES))
    assert told.realised == pytest.approx(sum(t.pnl for t in accounts.TRADES))
    assert told.unrealised == pytest.approx(18.5 - 16.2)
    assert (told.enough, told.win_rate, told.cut) == (False, None, False)
    more = replace(accounts.STATE, n_trades=4)
    assert performance_of(more, earned(accounts.TRADES)).cut


def test_audit_of_events_with_less_in_them():
    told = audit_of(StoredEvent(3, "k", 1, 2, "hand", {"by": "page", "orders": [7]}))
    assert (told.what, told.by, told.why, told.before) == ("hand", "page", "", None)
    assert told.more == {"orders": [7]}
