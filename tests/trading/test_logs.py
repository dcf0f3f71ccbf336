import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_cases import setups, world

from opportunity.trading.broker import PaperBroker
from opportunity.trading.logs import Logs, inward, outward, waiting_orders
from opportunity.trading.records import PLACED
from opportunity.trading.terms import new_account, new_positions


def test_numbers_go_in_and_come_out_again():
    account, positions = new_account(1.0), new_positions(5)
    account["n_orders"], account["n_fills"], account["n_trades"] = 12, 7, 3
    positions["order"], positions["exit_order"] = [3, 9, 11, 2, -1], [-1, 5, 10, 1, 8]
    positions["wanted"], positions["exit"] = [1, 0, -1, 0, 0], [0, 3, 4, 0, 0]
    before = account.tobytes(), positions.tobytes()
    first, carried = np.array([9, 6, 2]), np.array([3, 5])
    inward(account[0], positions, first, carried)
    assert [int(account[n][0]) for n in ("n_orders", "n_fills", "n_trades")] == [5, 1, 1]
    assert positions["order"][[0, 2]].tolist() == [0, 4]
    assert positions["exit_order"][[1, 2]].tolist() == [1, 3]
    assert (positions["order"][[1, 3, 4]] < 0).all()
    assert (positions["exit_order"][[0, 3, 4]] < 0).all()
    outward(account[0], positions, first, carried)
    assert (account.tobytes(), positions.tobytes()) == before


def driven_batches(broker, batches, table):
    for b in range(len(batches)):
        rows = slice(int(batches.first[b]), int(batches.first[b + 1]))
        broker.batch(
            batches.symbol[rows], batches.open_time[rows], int(batches.time[b]),
            batches.values[rows],
        )
        broker.decide(table[table["batch"] == b])
        yield b


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), setups(), st.integers(1, 4), st.integers(1, 9))
def test_a_broker_that_lets_go_does_what_one_does_that_keeps_all(seed, setup, symbols, every):
    bars, batches, table = world(seed, 90, symbols)
    names = [b.symbol for b in bars]
    whole, lean = (PaperBroker(names, setup.terms(), setup.cash) for _ in range(2))
    told, fills, trades, restored = {}, [], [], 0
    one, two = driven_batches(whole, batches, table), driven_batches(lean, batches, table)
    n = [0, 0, 0]
    for b, _ in zip(one, two, strict=True):
        assert lean.account.tobytes() == whole.account.tobytes()
        assert lean.positions.tobytes() == whole.positions.tobytes()
        if b % every == 0:
            numbers = lean._logs.numbers()
            told |= dict(zip(numbers.tolist(), lean.orders_of(numbers), strict=True))
            fills.append(lean.fills_since(n[1]))
            trades.append(lean.trades_since(n[2]))
            n = [int(lean.account[m][0]) for m in ("n_orders", "n_fills", "n_trades")]
            lean.trim(*n)
            waits = waiting_orders(lean.positions)
            assert lean._logs.numbers().tolist() == sorted(waits)
            assert (lean.fills.size, lean.trades.size) == (0, 0)
            if b % 5 == 0:  # and so does one that goes on where another stopped
                restored += 1
                account, tally, positions = lean.account, lean.tally, lean.positions
                known = lean.orders.tobytes()
                lean.restore(account, tally, positions)
                assert lean.orders.tobytes() == known
    told |= dict(zip(lean._logs.numbers().tolist(), lean.orders, strict=True))
    assert restored
    fills.append(lean.fills_since(n[1]))
    trades.append(lean.trades_since(n[2]))
    assert np.concatenate(fills).tobytes() == whole.fills.tobytes()
    assert np.concatenate(trades).tobytes() == whole.trades.tobytes()
    assert sorted(told) == list(range(whole.orders.size))
    for number, row in told.items():
        assert row.tobytes() == whole.orders[number].tobytes()


def test_memory_does_not_grow():
    logs = Logs(account := new_account(1.0), new_positions(1))
    for _ in range(1_000):
        logs.reserve(20, 30, 10)
        for name, more in (("n_orders", 20), ("n_fills", 30), ("n_trades", 10)):
            account[name] += more
        logs.orders["status"] = 1
        logs.trim(*(int(account[name][0]) for name in ("n_orders", "n_fills", "n_trades")))
    assert (logs.orders.size, logs.fills.size, logs.trades.size) == (64, 64, 64)
    assert logs.first.tolist() == [20_000, 30_000, 10_000]


def test_what_was_let_go_is_not_handed_out():
    logs = Logs(account := new_account(1.0), new_positions(1))
    account["n_orders"], account["n_fills"], account["n_trades"] = 5, 6, 4
    logs.orders["status"][:5] = [1, PLACED, 1, 1, 1]
    logs.trim(3, 4, 9)
    assert logs.numbers().tolist() == [1, 3, 4]
    assert logs.orders_of(np.array([4, 1]))["status"].tolist() == [1, PLACED]
    assert (logs.since(1, 4).size, logs.since(2, 4).size) == (2, 0)
    with pytest.raises(ValueError, match="fills must be asked for from 4 on, was 3: let go"):
        logs.since(1, 3)
    with pytest.raises(ValueError, match="trades must be asked for from 4 on, was 0: let go"):
        logs.since(2, 0)
    with pytest.raises(ValueError, match="order must be one that is kept, was 2"):
        logs.orders_of(np.array([1, 2]))
    with pytest.raises(ValueError, match="order must be one that is kept, was 5"):
        logs.orders_of(np.array([5]))
    logs.trim(0, 0, 0)  # goes back to nothing
    assert logs.numbers().tolist() == [1, 3, 4]
