import numpy as np
import pytest
from sweeping import history, vectors

from opportunity.backtest.decisions import decide_all
from opportunity.backtest.sweep_exact import exact_room, exact_side
from opportunity.backtest.sweep_layout import question
from opportunity.backtest.sweep_tables import tables_of
from opportunity.trading.rules import TradeRecord


@pytest.mark.parametrize("direction", [None, "BULLISH"])
@pytest.mark.parametrize(
    ("timeframes", "decision", "observed"),
    [(("15m",), "15m", False), (("15m", "1h", "4h"), "1h", False), (("15m", "1h"), "1h", True)],
    ids=["one", "three", "observed"],
)
def test_side_is_that_of_the_engine(timeframes, decision, observed, direction):
    made = history(timeframes, decision, observed=observed)
    tables = tables_of(made)
    rules = TradeRecord(min_score=0.55, min_confidence=0.05, direction=direction)
    asked, precise = question(tables, rules), exact_room(len(timeframes), 9)
    n_entries = 0
    for weights in vectors(22, 3):
        wanted = decide_all(made, weights, rules).side
        found = [
            exact_side(weights, tables.seen, asked.exact, precise, d) for d in range(len(tables))
        ]
        np.testing.assert_array_equal(found, wanted)
        n_entries += np.count_nonzero(wanted)
    assert n_entries > 100


def test_what_is_not_trusted_is_not_entered():
    made = history()
    tables = tables_of(made)
    least, _, _, wanted, trusted = question(tables, TradeRecord(min_score=0.5)).exact
    weights, precise = np.ones(9), exact_room(1, 9)
    asked = least, 0.0, 1.0, wanted, trusted
    entered = [
        d for d in range(len(tables)) if exact_side(weights, tables.seen, asked, precise, d)
    ]
    assert entered
    asked = least, 0.0, 1.0, wanted, np.zeros_like(trusted)
    assert not any(exact_side(weights, tables.seen, asked, precise, d) for d in entered)
