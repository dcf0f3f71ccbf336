import numpy as np
import pytest
from builders import random_bars
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeping import history
from trading_cases import bounded, breakers

from opportunity.backtest.batches import batches_of
from opportunity.backtest.execution import execute
from opportunity.backtest.sweep_layout import question, room
from opportunity.backtest.sweep_tables import tables_of
from opportunity.backtest.sweep_trade import advance, next_code
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION, FILL, ORDER, TRADE
from opportunity.trading.risk import UNLIMITED, RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account, new_positions, new_tally

N = 1_500


def table(seed: int, every: int, busy: float) -> np.ndarray:
    """Decisions at every so many bars, entries at a share of them."""
    rng = np.random.default_rng(seed)
    made = np.zeros(N // every, DECISION)
    made["batch"] = np.arange(made.size) * every + every - 1
    made["side"] = rng.choice([-1, 0, 1], made.size, p=[busy / 2, 1 - busy, busy / 2])
    made["volume"] = np.where(rng.random(made.size) < 0.2, np.nan, rng.uniform(1e3, 1e6, made.size))
    made["confidence"] = np.nan
    made["flagged"] = rng.random(made.size) < 0.05
    made["atr"] = np.where(rng.random(made.size) < 0.02, np.nan, rng.uniform(5, 30, made.size))
    return made


def run(bars, rows, setup, cuts):
    """Trade through `advance` in pieces that end at some decisions."""
    batches = batches_of([bars], "1h")
    rows = rows.copy()
    rows["time"] = batches.time[rows["batch"]]
    account, tally, positions = new_account(setup.cash), new_tally(setup.cash), new_positions(1)
    curve, gross, last, b = np.full(N, np.nan), np.full(N, np.nan), N - 1, 0
    words = np.zeros(rows.size // 8 + 2, np.int64)
    codes = words.view(np.int8)
    codes[: rows.size] = rows["side"]
    settle = np.zeros(9), SEEN[0], SEEN[1], SEEN[2], False
    logs = (np.zeros(0, FILL), np.zeros(0, TRADE)), np.zeros(0, ORDER), np.zeros(N, np.int64)
    for d, z in zip([0, *cuts], [*cuts, rows.size], strict=True):
        end = last if z == rows.size else int(rows["batch"][z - 1])
        block = (
            rows["batch"].copy(), rows["time"].copy(), rows["atr"].copy(),
            rows["flagged"].astype(np.int8), rows["volume"].copy(), 0, d, z,
        )  # fmt: skip
        advance(
            account[0], positions, setup.terms()[0], tally[0],
            (batches.time, batches.open_time, batches.values, curve, gross), block, codes,
            words, settle, logs, (b, end, last),
        )
        b = end + 1
    ran = execute(batches, rows, setup, 1)
    np.testing.assert_array_equal(gross, ran.held)
    return account, tally, curve, positions, ran


def _seen():
    made = history()
    tables = tables_of(made)
    return tables.seen, question(tables, TradeRecord()).exact, room(tables, 1).exact


SEEN = _seen()

rules = st.builds(
    TradeRecord,
    fill=st.sampled_from(["open", "close", "limit"]),
    limit_atr=st.sampled_from([0.0, 0.5, 2.0]),
    stop_atr=st.sampled_from([0.5, 1.5, 6.0]),
    trail_atr=st.sampled_from([0.0, 1.0, 3.0]),
    time_stop=st.sampled_from([0, 1, 3, 24]),
    opposite=st.booleans(),
    targets_r=st.just((0.5, 1.0, 3.0)),
    shares=st.sampled_from([(0.2, 0.2, 0.2), (0.25, 0.25, 0.5)]),
)
sizings = st.sampled_from(
    [Sizing(), Sizing.fixed(0.8), Sizing.notional(500.0, True), Sizing.all_in()]
)
limits = st.sampled_from(
    [UNLIMITED, RiskRecord(), RiskRecord(max_daily_loss=0.005, max_losses=1, cooldown_h=7.0)]
) | breakers() | bounded()


@settings(deadline=None)
@given(
    rules, sizings, limits, st.integers(0, 1_000), st.sampled_from([1, 3, 24]),
    st.sampled_from([0.02, 0.3, 0.9]), st.sets(st.integers(1, N // 24 - 1), max_size=3),
)  # fmt: skip
def test_running_sums_and_curve_are_those_of_the_engine(
    rules, sizing, risk, seed, every, busy, cuts
):
    setup = TradeSetup(rules, Costs(0.0002, 0.0003), sizing, risk)
    account, tally, curve, positions, ran = run(
        random_bars(N, seed % 7), table(seed, every, busy), setup, sorted(cuts)
    )
    assert tally.tobytes() == ran.tally.tobytes()
    np.testing.assert_array_equal(curve, ran.equity)
    for name in account.dtype.names:
        if name != "n_orders":  # what a breaker would refuse is not asked for
            np.testing.assert_array_equal(account[name], ran.account[name], name)
    assert positions["side"][0] == 0


@given(st.lists(st.sampled_from([0, 0, 0, 0, 0, 0, 1, -1, 2]), max_size=60), st.integers(0, 70))
def test_next_code_is_the_first_that_is_not_zero(codes, start):
    n = len(codes)
    words = np.zeros(n // 8 + 2, np.int64)
    words.view(np.int8)[:n] = codes
    words.view(np.int8)[n : n + 3] = 1  # what lies behind the end is not read
    wanted = next((i for i in range(min(start, n), n) if codes[i]), n)
    assert next_code(words.view(np.int8), words, min(start, n), n) == wanted


@pytest.mark.parametrize("busy", [0.0, 1.0])
def test_no_entry_and_entries_everywhere(busy):
    setup = TradeSetup(TradeRecord(stop_atr=3.0), Costs(), Sizing(), UNLIMITED)
    account, tally, curve, _, ran = run(random_bars(N, 2), table(1, 1, busy), setup, [])
    assert tally.tobytes() == ran.tally.tobytes()
    assert (account["n_trades"][0] == 0) == (busy == 0.0)
    np.testing.assert_array_equal(curve, ran.equity)
