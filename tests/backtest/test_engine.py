"""The whole engine: the published case, the same runs again, and what is refused."""

import inspect
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import random_bars
from trading_cases import HOUR, MIDNIGHT, bars_of
from walks import walk_bars

import opportunity as op
from opportunity.backtest.capsule import Capsule
from opportunity.backtest.engine import backtest, shifted
from opportunity.backtest.history import prepare
from opportunity.errors import BarError, ConflictError, CoverageError
from opportunity.market.observations import Funding
from opportunity.market.resample import resample
from opportunity.market.timeframe import utc_text
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION, END
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord

CALM = (100, 101, 99, 100)
RULES = TradeRecord(min_score=0.55, min_confidence=0.05)


# The published case. ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crossovers():
    """Daily GOOG bars and the side to hold after each SMA 10/30 crossover, 0 before the first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # backtesting warns about what it imports
        from backtesting.test import GOOG, SMA
    bars = op.Bars.from_frame(GOOG.reset_index().rename(columns={"index": "date"}))
    bars = bars.label(timeframe="1d", symbol="GOOG")
    fast, slow = np.asarray(SMA(bars.close, 10)), np.asarray(SMA(bars.close, 30))
    up = np.concatenate(([False], (fast[:-1] < slow[:-1]) & (fast[1:] > slow[1:])))
    down = np.concatenate(([False], (fast[:-1] > slow[:-1]) & (fast[1:] < slow[1:])))
    crossed = np.where(up, 1, np.where(down, -1, 0))
    last = np.maximum.accumulate(np.where(crossed != 0, np.arange(len(bars)), 0))
    return GOOG, bars, crossed[last]


def held_after(bars, sides):
    return backtest(
        bars, signal=sides, cash=10_000, costs=Costs(0, 0), sizing=Sizing.all_in(whole_units=True),
        partial=True,
    )


def test_the_published_moving_average_case(crossovers):
    _, bars, sides = crossovers
    result = held_after(bars, sides)
    assert len(result.trades) == 66
    assert round(float(result.equity[-1]), 2) == 51_959.95  # the last trade at the last close
    last = result.trades[-1]
    assert last["reason"] == END
    assert last["exit"] == bars.close[-1]
    # Published with that trade closed at the last open instead: 51,422.99.
    at_open = result.equity[-1] - last["side"] * last["quantity"] * (bars.close[-1] - bars.open[-1])
    assert round(float(at_open), 2) == 51_422.99


def test_trade_by_trade_as_the_package_that_published_it(crossovers):
    """All but the last exit, which that package puts at the last open where it is asked for one.

    Sides, units, bars, prices and profits of 65 trades and the entry of the 66th are equal to the
    cent; equity too at every close of the first 2,147 days.
    """
    frame, bars, sides = crossovers
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover
    from backtesting.test import SMA

    class Cross(Strategy):
        def init(self):
            self.fast = self.I(SMA, self.data.Close, 10)
            self.slow = self.I(SMA, self.data.Close, 30)

        def next(self):
            if crossover(self.fast, self.slow):
                self.buy()
            elif crossover(self.slow, self.fast):
                self.sell()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Backtest(
            frame, Cross, cash=10_000, commission=0, trade_on_close=False, exclusive_orders=True,
            finalize_trades=True,
        ).run()
    found, ours = theirs["_trades"].sort_values("EntryBar"), held_after(bars, sides)
    trades, done = ours.trades, slice(0, 65)
    assert len(found) == len(trades) == 66
    place = np.searchsorted(bars.time, trades["opened"])
    np.testing.assert_array_equal(place, found["EntryBar"])
    np.testing.assert_array_equal(trades["side"] * trades["quantity"], found["Size"])
    np.testing.assert_allclose(trades["entry"], found["EntryPrice"], rtol=1e-12)
    left = np.searchsorted(bars.time, trades["closed"])
    np.testing.assert_array_equal(left[done], found["ExitBar"].iloc[done])
    np.testing.assert_allclose(trades["exit"][done], found["ExitPrice"].iloc[done], rtol=1e-12)
    np.testing.assert_allclose(trades["pnl"][done], found["PnL"].iloc[done], atol=1e-6)
    curve = theirs["_equity_curve"]["Equity"].to_numpy()
    np.testing.assert_allclose(ours.equity[:-1], curve[:-1], rtol=1e-12)
    assert round(theirs["Equity Final [$]"], 2) in (51_422.99, 51_959.95)


# Scored runs. ----------------------------------------------------------------------------------


def hours(seed=1, n=1_500, symbol="A/USDT"):
    return replace(random_bars(n, seed), symbol=symbol)


@pytest.fixture(scope="module")
def market():
    return [hours(1), hours(2, symbol="B/USDT")]


@pytest.fixture(scope="module")
def history(market):
    return prepare(market, timeframes=["1h", "4h"])


@pytest.fixture(scope="module")
def result(history):
    return backtest(history, rules=RULES)


def test_a_scored_run_trades_both_sides_of_both_symbols(result):
    assert len(result.trades) > 40
    assert set(result.trades["side"].tolist()) == {-1, 1}
    assert set(result.trades["symbol"].tolist()) == {0, 1}
    assert result.equity[-1] == pytest.approx(10_000 + result.trades["pnl"].sum())
    assert result.decision == "1h"


def test_run_again_it_is_the_same_byte_for_byte(market, history, result):
    for again in (
        backtest(market, timeframes=["1h", "4h"], rules=RULES),
        backtest(history, rules=RULES),
    ):
        again.capsule.require(result.capsule)
        for name in ("equity", "held", "fills", "trades", "orders", "account", "tally", "time"):
            assert getattr(again, name).tobytes() == getattr(result, name).tobytes(), name


def test_a_capsule_says_how_to_run_it_again(market, result):
    told = Capsule.from_dict(result.capsule.as_dict())
    setup = told.trade_setup()
    again = backtest(
        market, weights=told.weights, timeframes=told.timeframes,
        decision_timeframe=told.decision_timeframe, rules=setup.rules, costs=setup.costs,
        sizing=setup.sizing, risk=setup.risk, cash=setup.cash, start=told.start, end=told.end,
        seed=told.seed,
    )
    again.capsule.require(told)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"cash": 5_000.0}, "setup, result"), ({"seed": 1}, "seed"),
        ({"weights": {"smc": 0.9}}, "weights, result"),
        ({"timeframe_weights": {"4h": 0.9}}, "timeframe_weights, result"),
        ({"costs": Costs(0, 0)}, "setup, result"), ({"risk": RiskRecord(1)}, "setup, result"),
        ({"funding": []}, "extras"),
    ],
)
def test_what_makes_a_run_differ_is_named(history, result, options, names):
    other = backtest(history, **{"rules": RULES, **options})
    with pytest.raises(ConflictError, match=f"differed in {names}$"):
        result.capsule.require(other.capsule)


def test_other_data_is_named(market, result):
    values = market[0].values.copy()
    values[700, 4] += 1.0
    moved = [replace(market[0], values=values), market[1]]
    other = backtest(moved, timeframes=["1h", "4h"], rules=RULES)
    with pytest.raises(ConflictError, match="differed in data"):
        result.capsule.require(other.capsule)


def test_first_bars_are_those_of_the_warm_up(market, result):
    assert result.capsule.first_bars == {b.symbol: int(b.time[0]) for b in market}
    assert result.time[0] > market[0].time[0] + 100 * HOUR


@pytest.mark.parametrize("cut", [700, 1_001, 1_333])
def test_cutting_the_future_changes_no_score_no_order_and_no_equity(market, result, cut):
    short = backtest(
        [b[:cut] for b in market], timeframes=["1h", "4h"], rules=RULES
    )
    n = len(short) - 1
    np.testing.assert_array_equal(short.time, result.time[: n + 1])
    np.testing.assert_array_equal(short.equity[:n], result.equity[:n])
    fills = short.fills[short.fills["reason"] != END]
    assert fills.tobytes() == result.fills[: fills.size].tobytes()
    orders = short.orders.size
    for name in ("time", "symbol", "side", "reason", "limit", "distance", "score", "confidence"):
        np.testing.assert_array_equal(short.orders[name], result.orders[name][:orders], name)
    at = len(short.decisions)
    for name in ("final", "net", "confidence", "consensus", "trust", "contributions"):
        np.testing.assert_array_equal(
            getattr(short.decisions, name), getattr(result.decisions, name)[:at], name
        )


@pytest.mark.parametrize("fill", ["open", "close", "limit"])
def test_cutting_the_future_changes_nothing_with_gaps_finer_bars_and_funding(market, fill):
    fine = bars_of([CALM] * 4_000, "C/USDT", step=HOUR // 4)
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, 4_000)))
    opened = np.r_[100.0, close[:-1]]
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    fine = replace(
        fine, time=fine.time - fine.time[0] + market[0].time[0],
        values=np.stack([opened, high, low, close, rng.lognormal(8, 1, 4_000)], axis=1),
    )  # fmt: skip
    bars = [without(market[0], 640, 671), market[1][:1_000], resample(fine, "1h")]
    options = {
        "timeframes": ["1h", "4h"], "rules": replace(RULES, fill=fill), "partial": True,
        "finer": without(fine, 2_100, 2_411),
        "funding": [f for b in bars for f in settled(b, 4)],
    }  # fmt: skip
    whole = backtest(bars, **options)
    assert set(whole.trades["symbol"].tolist()) == {0, 1, 2}
    assert 0 < whole.drilled.n_bars < 1_000
    for cut in (655, 671, 777, 903):
        end = int(market[0].time[cut])
        short = backtest(bars, **options, end=end)
        n = len(short) - 1
        assert short.equity[:n].tobytes() == whole.equity[:n].tobytes()
        assert short.held[:n].tobytes() == whole.held[:n].tobytes()
        for name in ("fills", "trades"):
            found = getattr(short, name)
            found = found[found["reason"] != END]
            assert found.tobytes() == getattr(whole, name)[: found.size].tobytes(), (cut, name)


def without(bars, first, last):
    keep = np.ones(len(bars), np.bool_)
    keep[first:last] = False
    return replace(bars, time=bars.time[keep], values=bars.values[keep])


def test_start_leaves_the_warm_up_out(market):
    start = int(market[0].time[1_000])
    found = backtest(market, timeframes=["1h", "4h"], rules=RULES, start=start)
    assert found.time[0] == start + HOUR
    assert len(found) == 500
    assert found.orders["time"].min() > start
    assert found.capsule.first_bars["A/USDT"] == market[0].time[0]


def test_a_history_serves_many_runs(history):
    strict = backtest(history, rules=TradeRecord(min_score=0.75, min_confidence=0.05))
    loose = backtest(history, rules=RULES, weights={"smc": 0.0})
    assert len(strict.trades) < len(loose.trades)
    assert strict.capsule.data == loose.capsule.data


@pytest.mark.parametrize(
    "options",
    [{"timeframes": ["1h"]}, {"decision_timeframe": "1h"}, {"observations": []}, {"start": 0},
     {"end": "2024-01-01"}, {"partial": True}],
)  # fmt: skip
def test_a_history_has_its_own_answers(history, options):
    [name] = options
    with pytest.raises(ValueError, match=f"{name} must not be given with a History"):
        backtest(history, **options)


def test_shifted_counts_batches_from_the_first_that_trades():
    table = np.zeros(4, DECISION)
    table["batch"] = [3, 5, 5, 9]
    kept = shifted(table, 5)
    assert kept["batch"].tolist() == [0, 0, 4]
    assert table["batch"].tolist() == [3, 5, 5, 9]


# Funding and finer bars. -----------------------------------------------------------------------


def settled(bars, every, rate=0.0008):
    times = np.arange(int(bars.time[0]), int(bars.time[-1]) + HOUR, every * HOUR)
    return [Funding(int(t), int(t), "test", f"{bars.symbol}:USDT", rate) for t in times]


@pytest.mark.parametrize(("every", "share"), [(8, 1.0), (4, 0.5)])
def test_funding_is_part_of_the_result(every, share):
    bars = bars_of([CALM] * 49)
    options = {"signal": [1] * 49, "sizing": Sizing.notional(1_000), "costs": Costs(0, 0)}
    long = backtest(bars, funding=settled(bars, every), **options)
    due = 48 // every  # not at 00:00, before the entry
    assert long.funding == pytest.approx(-due * share * 0.8)
    assert long.equity[-1] == pytest.approx(10_000 + long.funding)
    assert long.metrics.funding == long.funding
    options["signal"] = [-1] * 49
    assert backtest(bars, funding=settled(bars, every), **options).funding == -long.funding
    part = backtest(bars, funding=settled(bars, every)[3:], **options)
    assert part.funding is None
    assert any("funding is known for a part" in w for w in part.warnings)


def test_finer_bars_are_walked(crossovers):
    fine = bars_of([CALM] * 400, step=HOUR // 4)
    hours = resample(fine, "1h")
    found = backtest(hours, signal=np.ones(100), finer=fine)
    assert (found.drilled.timeframe, found.drilled.n_bars, found.drilled.n_all) == ("15m", 100, 100)
    plain = backtest(hours, signal=np.ones(100))
    np.testing.assert_array_equal(found.equity, plain.equity)
    with pytest.raises(ConflictError, match=r"differed in extras$"):
        plain.capsule.require(found.capsule)


def test_ruin_is_told_with_its_time():
    price = 100.0 * 1.1 ** np.arange(20)
    bars = bars_of([(p, p * 1.1, p, p * 1.1) for p in price])
    found = backtest(bars, signal=-np.ones(20), costs=Costs(0, 0))
    place = int(np.argmax(found.equity <= 0))
    assert 0 < place < 19
    (told,) = (w for w in found.warnings if "nothing was left" in w)
    assert f"at {utc_text(int(found.time[place]))}: " in told
    calm = backtest(bars, signal=np.ones(20), costs=Costs(0, 0))
    assert not any("nothing was left" in w for w in calm.warnings)


# Signals. --------------------------------------------------------------------------------------


def test_a_signal_of_several_symbols_shares_the_cash():
    a = bars_of([CALM, CALM, (100, 111, 99, 110), CALM], "A/USDT")
    b = bars_of([CALM] * 4, "B/USDT")
    found = backtest(
        [b, a], signal={"A/USDT": [1, 0, 0, 0], "B/USDT": [0, 1, 1, 0]}, costs=Costs(0, 0),
        sizing=Sizing.all_in(),
    )
    assert found.symbols == ("A/USDT", "B/USDT")
    assert found.trades["symbol"].tolist() == [0, 1]
    assert found.trades["quantity"].tolist() == [100.0, 100.0]
    assert found.trades["pnl"].tolist() == [0.0, 0.0]
    both = backtest(
        [a, b], signal={"A/USDT": [1] * 4, "B/USDT": [1] * 4}, costs=Costs(0, 0)
    )
    assert both.refused() == {"too small": 3}  # everything is in A


def test_a_signal_may_have_a_span():
    bars = bars_of([CALM] * 200)
    sides = np.where(np.arange(200) % 20 < 10, 1, -1)
    start, end = int(bars.time[50]), int(bars.time[150])
    found = backtest(bars, signal=sides, start=start, end=end, costs=Costs(0, 0))
    assert (found.time[0], found.time[-1]) == (start + HOUR, end)
    alone = backtest(bars[50:150], signal=sides[50:150], costs=Costs(0, 0))
    assert found.trades.tobytes() == alone.trades.tobytes()


def test_a_signal_sees_the_limits_that_are_asked_for():
    bars = bars_of([CALM] * 10)
    options = {"signal": [1] * 10, "sizing": Sizing.fixed(1.0), "costs": Costs(0, 0)}
    free = backtest(bars, **options)
    bound = backtest(bars, risk=op.RiskLimits(max_position=0.25), **options)
    assert free.trades["quantity"].tolist() == [100.0]
    assert bound.trades["quantity"].tolist() == [25.0]


@pytest.mark.parametrize(
    ("signal", "kind", "text"),
    [
        ([1] * 9, ValueError, r"signal must be one number a bar, 10, was \(9,\)"),
        ([[1]] * 10, ValueError, r"signal must be one number a bar, 10, was \(10, 1\)"),
        ([1] * 9 + [2], ValueError, r"signal must be -1, 0 or 1 at every bar, was 2"),
        ([1] * 9 + [np.nan], ValueError, r"signal must be -1, 0 or 1 at every bar, was nan"),
        ([0.5] * 10, ValueError, r"signal must be -1, 0 or 1 at every bar, was 0.5"),
        (["buy"] * 10, TypeError, r"signal must be numbers, was not: .*'buy'"),
        ({"A/USD": [1] * 10}, ValueError, r"symbol of signal must be a known name, was 'A/USD'"),
        ({}, ValueError, r"symbol of signal must be a known name, was 'A/USDT'"),
    ],
)
def test_signals_that_say_nothing_are_refused(signal, kind, text):
    with pytest.raises(kind, match=text):
        backtest(bars_of([CALM] * 10), signal=signal)


def test_a_signal_for_several_symbols_is_a_mapping():
    bars = [bars_of([CALM] * 5), bars_of([CALM] * 5, "B/USDT")]
    with pytest.raises(ValueError, match="signal must be a mapping by symbol for several symbols"):
        backtest(bars, signal=[1] * 5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"weights": {"smc": 1.0}}, "weights must not be given with a signal"),
        ({"timeframes": ["1h"]}, "timeframes must not be given with a signal"),
        ({"timeframe_weights": {"1h": 1.0}}, "timeframe_weights must not be given with a signal"),
        ({"decision_timeframe": "1h"}, "decision_timeframe must not be given with a signal"),
        ({"observations": []}, "observations must not be given with a signal"),
        ({"sizing": Sizing.risk()}, "sizing must not be by risk without a stop"),
        ({"cash": -1}, "cash must be finite and > 0, was -1"),
        ({"start": "2020-13-01"}, "start must be an ISO 8601 time, was '2020-13-01'"),
        ({"start": "2021-01-01", "end": "2020-01-01"}, "end must be later than start"),
    ],
)
def test_what_does_not_fit_a_signal_is_named(options, text):
    with pytest.raises(ValueError, match=text):
        backtest(bars_of([CALM] * 10), signal=[1] * 10, **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"bars": 3}, "bars must be Bars, a list of them or a mapping by symbol, was int"),
        ({"costs": 0.001}, "costs must be Costs, was float"),
        ({"sizing": 0.1}, "sizing must be Sizing, was float"),
        ({"risk": {"max_positions": 3}}, "risk must be RiskRecord, was dict"),
        ({"rules": {}}, "rules must be TradeRecord, was dict"),
        ({"cash": "10k"}, "cash must be a number, was '10k'"),
        ({"start": 1.5}, "start must be milliseconds, an ISO date or a datetime, was float"),
        ({"finer": 1}, "finer: bars must be Bars"),
        ({"funding": 3}, "funding must be Funding records, was int"),
        ({"seed": 1.5}, "seed must be a whole number, was 1.5"),
        ({"funding": [3]}, "funding must be Funding records, was int"),
    ],
)
def test_arguments_of_another_kind_are_named(options, text):
    given = {"bars": bars_of([CALM] * 10), "signal": [1] * 10, **options}
    with pytest.raises(TypeError, match=text):
        backtest(**given)


def test_a_history_has_no_signal(history):
    with pytest.raises(TypeError, match="bars must be Bars with a signal, was a History"):
        backtest(history, signal=[1])


def test_bars_that_break_a_rule_are_refused():
    bars = bars_of([CALM, (100, 90, 99, 100), CALM])
    with pytest.raises(BarError):
        backtest(bars, signal=[0, 0, 0])


def test_missing_history_is_an_error_with_a_report():
    bars = bars_of([CALM] * 100)
    with pytest.raises(CoverageError, match="A/USDT: begins at 2020-09-13T00:00Z only") as caught:
        backtest(bars, signal=[0] * 100, start="2020-09-01")
    assert caught.value.report["symbols"][0]["symbol"] == "A/USDT"
    found = backtest(bars, signal=[0] * 100, start="2020-09-01", partial=True)
    assert "A/USDT: begins at 2020-09-13T00:00Z only" in found.warnings
    with pytest.raises(CoverageError, match="there are no bars"):
        backtest(bars, signal=[0] * 100, start="2021-01-01", partial=True)
    with pytest.raises(CoverageError, match="needs 100 bars to score"):
        backtest(bars, timeframes=["1h", "4h"])


def test_gaps_are_told_and_not_filled():
    bars = bars_of([CALM] * 50)
    torn = replace(bars, time=np.delete(bars.time, [10, 11]),
                   values=np.delete(bars.values, [10, 11], axis=0))  # fmt: skip
    found = backtest(torn, signal=np.ones(48))
    assert len(found) == 48
    assert "missing bars were not filled in: 2 in what was traded" in found.warnings


def test_the_package_itself_answers_to_its_name():
    assert op.backtest(bars_of([CALM] * 3), signal=[0, 0, 0]).equity[-1] == 10_000
    assert inspect.signature(op.backtest) == inspect.signature(backtest)


def test_the_times_are_those_of_the_bars():
    found = backtest(bars_of([CALM] * 3), signal=[0, 0, 0])
    assert found.to_frame().index[0] == pd.Timestamp(MIDNIGHT + HOUR, unit="ms", tz="UTC")


def test_missing_bars_count_in_the_warm_up_that_is_needed_and_not_before():
    whole = walk_bars()
    start = int(whole.time[2_000])
    keep = np.ones(len(whole), np.bool_)
    keep[[10, 1_950, 1_951, 2_100]] = False  # 10: further back than 100 bars of 1h
    torn = replace(whole, time=whole.time[keep], values=whole.values[keep])
    found = backtest(torn, timeframes=["1h"], start=start)
    told = "1 in what was traded, 2 in the 4 days of warm-up before"
    assert f"missing bars were not filled in: {told}" in found.warnings
