"""How large an entry is does not hang on closes that nobody knows yet, nor on stale ones."""

import numpy as np
import pytest

from opportunity.trading.broker import PaperBroker
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

HOUR = 3_600_000
CALM = [100.0, 101.0, 99.0, 100.0, 1.0]


def broker_of(**rules):
    setup = TradeSetup(
        TradeRecord(trail_atr=0, time_stop=0, **rules), Costs(0, 0), Sizing.fixed(0.2), UNLIMITED,
        1_000.0,
    )  # fmt: skip
    return PaperBroker(["A/USDT", "B/USDT"], setup.terms(), setup.cash)


def feed(broker, bar, **bars):
    rows = np.array(["AB".index(name) for name in bars])
    broker.batch(rows, np.full(rows.size, bar * HOUR), (bar + 1) * HOUR, np.array([*bars.values()]))


def ask(broker, *symbols, atr=0.5):
    found = np.zeros(len(symbols), DECISION)
    found["symbol"], found["side"], found["atr"] = symbols, 1, atr
    found["key"] = -np.array(symbols)
    broker.decide(found)


@pytest.mark.parametrize("close", [99.9, 100.0, 100.2])
def test_limit_is_not_sized_by_a_close_of_the_same_instant(close):
    broker = broker_of(fill="limit", limit_atr=1.0)
    feed(broker, 0, A=CALM, B=CALM)
    ask(broker, 0)
    feed(broker, 1, A=[100.0, 100.4, 99.4, 100.0, 1.0], B=CALM)
    ask(broker, 1)
    feed(broker, 2, A=[100.0, 100.2, 99.9, close, 1.0], B=CALM)
    assert broker.fills["symbol"].tolist() == [0, 1]
    held = 200 / 99.5  # of A, and marked at the close before
    assert broker.fills["quantity"][1] == pytest.approx(0.2 * (1_000 + held * 0.5) / 99.5)


def test_entry_after_another_at_the_same_open_knows_what_that_one_cost():
    broker = broker_of()
    feed(broker, 0, A=CALM, B=CALM)
    ask(broker, 0, 1, atr=100.0)
    feed(broker, 1, A=[50.0, 51.0, 49.0, 50.0, 1.0], B=CALM)
    assert broker.fills["quantity"].tolist() == [4.0, 2.0]


def test_symbol_without_any_bar_yet_spoils_no_other_entry():
    broker = broker_of()
    feed(broker, 0, B=CALM)
    ask(broker, 0, 1, atr=1.0)
    feed(broker, 1, A=CALM, B=CALM)
    assert broker.fills["quantity"].tolist() == [2.0, 2.0]
