"""What holds for every run, whatever the bars, decisions, rules, sizes and limits."""

from dataclasses import replace

import numpy as np
import pytest
from builders import mirrored, random_bars, scaled
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_cases import (
    FREE,
    HOUR,
    MIDNIGHT,
    PLAIN,
    THIRDS,
    as_bytes,
    bars_of,
    decided,
    rules_at_random,
    setup_of,
    setups,
    trade,
    world,
)

from opportunity.backtest.batches import batches_of
from opportunity.backtest.execution import NO_PAYMENTS, Payments, execute
from opportunity.trading.costs import Sizing
from opportunity.trading.records import END, PLACED
from opportunity.trading.risk import UNLIMITED

SEEDS = st.integers(0, 100_000)
CALM = (100, 101, 99, 100)


def targets_of(seed, n, setup):
    """A world whose table names the side to hold at every bar, and a setup for it."""
    _, batches, table = world(seed, n)
    rng = np.random.default_rng(seed)
    wanted = np.zeros(len(batches), table.dtype)
    wanted["batch"], wanted["time"] = np.arange(len(batches)), batches.time
    wanted["side"] = np.repeat(rng.integers(-1, 2, n // 10 + 1), 10)[: len(batches)]
    wanted["atr"] = np.nan
    fill = "close" if setup.rules.fill == "limit" else setup.rules.fill
    sizing = Sizing.all_in() if setup.sizing.kind == "risk" else setup.sizing
    return batches, wanted, replace(setup, rules=replace(setup.rules, fill=fill), sizing=sizing)


@settings(max_examples=150, deadline=None)
@given(SEEDS, setups(), st.booleans())
def test_one_symbol_runs_as_many_do_byte_for_byte(seed, setup, target):
    _, batches, table = world(seed, 250)
    if target:
        batches, table, setup = targets_of(seed, 250, setup)
    fast = execute(batches, table, setup, 1, target)
    slow = execute(batches, table, setup, 1, target, payments=NO_PAYMENTS)
    assert as_bytes(fast) == as_bytes(slow)


@settings(max_examples=60, deadline=None)
@given(SEEDS, setups(), st.integers(1, 3))
def test_what_trades_won_is_what_the_account_has(seed, setup, symbols):
    _, batches, table = world(seed, 200, symbols)
    rng = np.random.default_rng(seed)
    n = 20
    payments = Payments(
        np.sort(rng.choice(batches.time, n)), rng.integers(0, symbols, n),
        rng.standard_normal(n) * 1e-3,
    )  # fmt: skip
    ran = execute(batches, table, setup, symbols, payments=payments)
    account, trades, fills, tally = ran.account[0], ran.trades, ran.fills, ran.tally[0]
    money = {"rel": 1e-9, "abs": 1e-6}
    assert account["cash"] == ran.equity[-1]
    assert ran.equity[-1] == pytest.approx(setup.cash + trades["pnl"].sum(), **money)
    for name, part in (("fees", "fee"), ("slippage", "slippage")):
        assert account[name] == pytest.approx(trades[name].sum(), **money)
        assert account[name] == pytest.approx(fills[part].sum(), **money)
    assert account["funding"] == pytest.approx(trades["funding"].sum(), **money)
    assert account["turnover"] == pytest.approx((fills["quantity"] * fills["price"]).sum(), **money)
    assert (account["n_trades"], account["n_fills"]) == (trades.size, fills.size)
    assert trades["n_fills"].sum() == fills.size
    assert account["n_open"] == 0
    assert (tally["n"], tally["n_trades"]) == (len(batches), trades.size)
    assert tally["gains"] - tally["pains"] == pytest.approx(trades["pnl"].sum(), **money)
    assert tally["wins"] == (trades["pnl"] > 0).sum()
    # Every trade by its own fills: bought and sold the same, and the pnl is what changed hands.
    for one in trades:
        own = fills[fills["number"] == one["number"]]
        assert (own["side"] * own["quantity"]).sum() == pytest.approx(0, abs=1e-9)
        paid = (own["side"] * own["quantity"] * own["price"] + own["fee"]).sum()
        assert one["pnl"] == pytest.approx(one["funding"] - paid, **money)
        assert one["mae"] >= 0
        assert one["mfe"] >= 0


@settings(max_examples=60, deadline=None)
@given(SEEDS, setups(), st.integers(1, 3), st.data())
def test_cutting_the_future_changes_nothing_before(seed, setup, symbols, data):
    bars, whole, table = world(seed, 150, symbols)
    cut = data.draw(st.integers(2, len(whole) - 1))
    end = int(whole.time[cut - 1])
    parts = batches_of([b.between(None, end - HOUR + 1) for b in bars], "1h")
    assert len(parts) == cut
    full = execute(whole, table, setup, symbols)
    short = execute(parts, table[table["batch"] < cut], setup, symbols)
    np.testing.assert_array_equal(short.equity[:-1], full.equity[: cut - 1])
    np.testing.assert_array_equal(short.held[:-1], full.held[: cut - 1])
    fills = short.fills[short.fills["reason"] != END]
    assert fills.tobytes() == full.fills[: fills.size].tobytes()
    trades = short.trades[short.trades["reason"] != END]
    assert trades.tobytes() == full.trades[: trades.size].tobytes()
    orders, later = short.orders.copy(), full.orders[: short.orders.size].copy()
    assert (later["time"] < end).all()
    waiting = orders["status"] == PLACED  # what became of these lies behind the cut
    orders["status"][waiting] = later["status"][waiting] = 0
    assert orders.tobytes() == later.tobytes()


def ready(bars, seed, factor=1.0, turned=1):
    """Decisions over bars: dyadic ranges, so that mirrors and scales are exact."""
    rng = np.random.default_rng(seed)
    batches = batches_of([bars], "1h")
    at = np.flatnonzero(rng.random(len(bars)) < 0.3)
    sides = rng.choice([-1, 0, 1], at.size, p=[0.2, 0.6, 0.2])
    ranges = rng.integers(8, 64, at.size) / 2.0
    said = [(int(b), int(turned * s), {"atr": a * factor}) for b, s, a in
            zip(at, sides, ranges, strict=True)]  # fmt: skip
    return batches, decided(batches, *said)


DYADIC = rules_at_random().map(
    lambda r: replace(
        r, stop_atr=max(r.stop_atr, 0.75), limit_atr=0.25 if r.limit_atr else 0.0,
        targets_r=tuple(np.rint(np.array(r.targets_r) * 4) / 4),
    )
)


@settings(max_examples=60, deadline=None)
@given(SEEDS, DYADIC)
def test_a_mirrored_market_pays_a_mirrored_trader_the_same(seed, rules):
    bars = random_bars(200, seed)
    setup = setup_of(replace(rules, stop_atr=0.75 if rules.stop_atr == 0.8 else rules.stop_atr))
    found = execute(*ready(bars, seed), setup, 1)
    other = execute(*ready(mirrored(bars), seed, turned=-1), setup, 1)
    np.testing.assert_array_equal(found.fills["time"], other.fills["time"])
    np.testing.assert_array_equal(found.fills["reason"], other.fills["reason"])
    np.testing.assert_array_equal(found.fills["side"], -other.fills["side"])
    total = bars.high.max() + bars.low.min()
    np.testing.assert_allclose(found.fills["price"], total - other.fills["price"], rtol=1e-12)
    np.testing.assert_allclose(found.trades["pnl"], other.trades["pnl"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.trades["mae"], other.trades["mae"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.trades["mfe"], other.trades["mfe"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.equity, other.equity, rtol=1e-11)


@settings(max_examples=60, deadline=None)
@given(SEEDS, setups(), st.sampled_from([2.0**-7, 0.5, 4.0, 2.0**9]))
def test_scaled_prices_scale_prices_and_units_only(seed, setup, factor):
    setup = replace(setup, sizing=replace(setup.sizing, whole_units=False))
    bars = random_bars(200, seed)
    found = execute(*ready(bars, seed), setup, 1)
    other = execute(*ready(scaled(bars, factor), seed, factor), setup, 1)
    np.testing.assert_array_equal(found.equity, other.equity)
    np.testing.assert_array_equal(found.held, other.held)
    for rows, again in ((found.fills, other.fills), (found.trades, other.trades),
                        (found.orders, other.orders)):  # fmt: skip
        for name in rows.dtype.names:
            by = {"quantity": 1 / factor}.get(name, factor)
            grows = name in ("quantity", "reference", "price", "entry", "exit", "limit", "distance")
            np.testing.assert_array_equal(rows[name] * (by if grows else 1), again[name], name)
    assert found.account["fees"] == other.account["fees"]


def paid(*rates, at=None, **options):
    """What the account got for a position of 10 units at a mark of 100, from the first bar on."""
    times = MIDNIGHT + HOUR * np.arange(2, 2 + len(rates)) if at is None else np.array(at)
    payments = Payments(times, np.zeros(len(rates), np.int64), np.array(rates))
    return trade([CALM] * 8, *options.pop("said", ((0, 1),)), payments=payments, **options)


def test_a_long_pays_and_a_short_gets_funding():
    long, short = paid(0.001), paid(0.001, said=((0, -1),))
    assert long.account["funding"][0] == pytest.approx(-1.0)  # 10 units at 100
    assert short.account["funding"][0] == pytest.approx(1.0)
    assert long.trades["funding"][0] == long.trades["pnl"][0] == pytest.approx(-1.0)
    np.testing.assert_allclose(long.equity[:3], [10_000, 10_000, 9_999])
    assert paid(-0.001).account["funding"][0] == pytest.approx(1.0)
    assert long.account["fees"][0] == 0.0


def test_funding_is_due_before_the_open_at_the_newest_mark():
    rows = [CALM, (100, 121, 99, 120), (80, 96, 79, 95), CALM]
    rules = replace(PLAIN, stop_atr=3.0)
    due = Payments(np.array([MIDNIGHT + 2 * HOUR]), np.zeros(1, np.int64), np.array([0.001]))
    ran = trade(rows, (0, 1), setup=setup_of(rules, sizing=Sizing.notional(1_000)), payments=due)
    assert ran.account["funding"][0] == pytest.approx(-1.2)  # of 10 units at 120


def test_who_leaves_at_an_open_pays_what_was_due_then_and_who_enters_does_not():
    times = [MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR]
    ran = paid(0.001, 0.001, at=times, said=((0, 1), (2, 0)), target=True,
               setup=setup_of(sizing=Sizing.notional(1_000)))  # fmt: skip
    # In at 01:00, where nothing was held before; out at 03:00, where it was.
    assert ran.fills["time"].tolist() == times
    assert ran.account["funding"][0] == pytest.approx(-1.0)


def test_funding_inside_a_bar_is_paid_at_the_next_open_or_at_the_end():
    inside = paid(0.001, at=[MIDNIGHT + 2 * HOUR + 1])
    assert inside.equity[2] == 10_000
    assert inside.equity[3] == pytest.approx(9_999)
    last = paid(0.001, at=[MIDNIGHT + 8 * HOUR - 1])
    assert last.account["funding"][0] == pytest.approx(-1.0)
    assert last.equity[-1] == pytest.approx(9_999)
    behind = paid(0.001, at=[MIDNIGHT + 8 * HOUR])
    assert behind.account["funding"][0] == 0.0


def test_funding_belongs_to_its_symbol():
    bars = [bars_of([CALM] * 5), bars_of([CALM] * 5, "B/USDT")]
    due = Payments(np.array([MIDNIGHT + 2 * HOUR]), np.ones(1, np.int64), np.array([0.001]))
    ran = trade(bars, (0, 1), (0, -1, {"symbol": 1}), payments=due)
    assert ran.trades["funding"].tolist() == [0.0, pytest.approx(1.0)]


def test_nothing_is_decided_at_the_last_close():
    assert trade([CALM] * 3, (2, 1)).orders.size == 0
    assert trade([CALM] * 3, (1, 1)).trades.size == 1


def test_flat_stretches_and_a_run_without_decisions():
    ran = trade([CALM] * 50)
    assert (ran.equity == 10_000).all()
    assert (ran.tally["n"][0], ran.tally["held"][0]) == (50, 0)
    idle = trade([CALM] * 50, *((b, 0) for b in range(50)))
    assert as_bytes(idle) == as_bytes(ran)


def test_the_longest_time_below_a_peak_counts_flat_bars():
    rows = [CALM, CALM, (85, 86, 84, 85), *[CALM] * 30]
    ran = trade(rows, (0, 1))
    assert ran.tally["longest"][0] == 31
    assert ran.tally["drawdown"][0] == pytest.approx(0.015)


def test_running_sums_are_those_of_the_curve():
    _, batches, table = world(5, 2_000)
    ran = execute(batches, table, setup_of(THIRDS, costs=FREE, risk=UNLIMITED), 1)
    curve = np.concatenate(([10_000.0], ran.equity))
    returns = curve[1:] / curve[:-1] - 1
    tally = ran.tally[0]
    assert tally["total"] == pytest.approx(returns.sum())
    assert tally["squares"] == pytest.approx((returns**2).sum())
    assert tally["downside"] == pytest.approx((returns[returns < 0] ** 2).sum())
    assert tally["held"] == (ran.held > 0).sum()
    assert tally["drawdown"] == pytest.approx((1 - curve / np.maximum.accumulate(curve)).max())
