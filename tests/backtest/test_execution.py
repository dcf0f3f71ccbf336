import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_cases import as_bytes, bars_of, setup_of, setups, trade, world

from opportunity.backtest.batches import batches_of
from opportunity.backtest.execution import Finer, execute, no_finer
from opportunity.trading.records import DECISION

CALM = (100, 101, 99, 100)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), setups(), st.integers(1, 3))
def test_no_row_is_lost(seed, setup, symbols):
    """Logs are as long as what the account has counted, however much is traded."""
    _, batches, table = world(seed, 120, symbols, rate=0.8)
    ran = execute(batches, table, setup, symbols)
    account = ran.account[0]
    for name in ("fills", "trades", "orders"):
        assert getattr(ran, name).size == account[f"n_{name}"]
    assert ran.trades.size == account["n_entries"]


def test_the_same_run_gives_the_same_bytes():
    _, batches, table = world(1, 300, 2)
    first = execute(batches, table, setup_of(), 2)
    assert as_bytes(first) == as_bytes(execute(batches, table, setup_of(), 2))
    assert first.fills.size > 10


def test_inputs_are_left_alone():
    _, batches, table = world(1, 300)
    before = table.tobytes(), batches.values.tobytes()
    execute(batches, table, setup_of(), 1)
    assert (table.tobytes(), batches.values.tobytes()) == before


def test_no_decisions_and_a_single_bar():
    ran = trade([CALM])
    assert ran.equity.tolist() == [10_000.0]
    empty = execute(batches_of([bars_of([CALM] * 3)], "1h"), np.zeros(0, DECISION), setup_of(), 1)
    assert empty.fills.size == empty.trades.size == empty.orders.size == 0


def test_no_finer_bars_for_any_row():
    parts = no_finer(4)
    assert isinstance(parts, Finer)
    assert parts.first.tolist() == [0] * 5
    _, batches, table = world(2, 200)
    plain = execute(batches, table, setup_of(), 1)
    walked = execute(batches, table, setup_of(), 1, finer=no_finer(batches.n_rows))
    assert as_bytes(plain) == as_bytes(walked)
