import pickle
from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars

from opportunity.backtest.candidates import random_weights
from opportunity.backtest.decisions import decide_all
from opportunity.backtest.engine import backtest
from opportunity.backtest.history import History, prepare
from opportunity.backtest.setup_judge import SetupJudge, shifted, window
from opportunity.market.bars import Bars
from opportunity.trading.costs import Costs
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SETUP = TradeSetup(rules=TradeRecord(min_score=0.55, min_confidence=0.05), cash=5_000.0)
JUDGE = SetupJudge(SETUP)
MATRIX = random_weights(6, np.arange(9) < 6, 1)


def market(*seeds: int, n: int = 1_500) -> list[Bars]:
    return [
        replace(random_bars(n, seed=s), symbol=f"S{s}/USDT", source="simulated") for s in seeds
    ]


@pytest.fixture(scope="module")
def one() -> History:
    return prepare(market(3), timeframes=["1h", "4h"], decision_timeframe="1h", partial=True)


@pytest.fixture(scope="module")
def two() -> History:
    return prepare(market(3, 4), timeframes=["1h"], partial=True)


@pytest.mark.parametrize("name", ["one", "two"])
def test_whole_spans_are_those_of_the_backtest(name, request):
    history = request.getfixturevalue(name)
    start, end = history.start_batch, len(history.batches)
    verdicts = JUDGE(history, MATRIX, start, end)
    for i, weights in enumerate(MATRIX):
        result = backtest(
            history, weights=weights, rules=SETUP.rules, costs=SETUP.costs, cash=SETUP.cash
        )
        assert result.equity[-1] == verdicts.equity[i]
        assert len(result.trades) == verdicts.tally["n_trades"][i] > 0
        np.testing.assert_array_equal(
            JUDGE.rerun(history, weights, start, end, SETUP.cash), result.equity
        )


@pytest.mark.parametrize("name", ["one", "two"])
@pytest.mark.parametrize("span", [(500, 900), (901, 1_499)])
def test_parts_of_a_history_are_judged_alike_by_sweep_and_engine(name, span, request):
    history = request.getfixturevalue(name)
    verdicts = JUDGE(history, MATRIX, *span)
    for i, weights in enumerate(MATRIX):
        ran = JUDGE.run(history, weights, *span)
        assert ran.equity.size == span[1] - span[0]
        assert verdicts.tally[i] == ran.tally[0]
        assert verdicts.equity[i] == ran.equity[-1]


def test_what_lies_outside_a_span_changes_nothing(one):
    """Bars behind the end, and trades before the start, are not there for a part."""
    curve = JUDGE.rerun(one, MATRIX[1], 500, 900, 5_000.0)
    cut = prepare(
        market(3)[0][:900], timeframes=["1h", "4h"], decision_timeframe="1h", partial=True
    )
    np.testing.assert_array_equal(JUDGE.rerun(cut, MATRIX[1], 500, 900, 5_000.0), curve)
    assert curve[0] == 5_000.0


def test_money_to_begin_with_can_be_another(one):
    a = JUDGE.rerun(one, MATRIX[1], 500, 900, 5_000.0)
    b = JUDGE.rerun(one, MATRIX[1], 500, 900, 10_000.0)
    np.testing.assert_allclose(b, 2 * a, rtol=1e-9)


def test_a_delay_acts_later_on_the_same_decisions(one):
    table = decide_all(one, MATRIX[1], SETUP.rules).table
    late = shifted(table, 500, 900, 2)
    inside = table[(table["batch"] >= 500) & (table["batch"] < 898)]
    np.testing.assert_array_equal(late["batch"], inside["batch"] + 2 - 500)
    np.testing.assert_array_equal(late["side"], inside["side"])
    now, later = JUDGE.run(one, MATRIX[1], 500, 900), SetupJudge(SETUP, delay=2).run(
        one, MATRIX[1], 500, 900
    )  # fmt: skip
    assert later.fills["time"][0] == now.fills["time"][0] + 2 * 3_600_000
    verdicts = SetupJudge(SETUP, delay=2)(one, MATRIX[1:2], 500, 900)
    assert verdicts.equity[0] == later.equity[-1] != now.equity[-1]


def test_keys_are_those_of_the_terms():
    same = SetupJudge(replace(SETUP))
    others = [
        SetupJudge(replace(SETUP, cash=1.0)), SetupJudge(replace(SETUP, costs=Costs(0.0))),
        SetupJudge(SETUP, delay=1), SetupJudge(SETUP, {"1h": 1.0}),
    ]  # fmt: skip
    assert same.key == JUDGE.key
    assert len({j.key for j in (JUDGE, *others)}) == 5
    assert pickle.loads(pickle.dumps(others[-1])).key == others[-1].key


def test_windows_hold_the_rows_of_their_batches(two):
    part = window(two.batches, 600, 700)
    rows = (two.batches.open_time >= part.opened[0]) & (two.batches.open_time <= part.opened[-1])
    np.testing.assert_array_equal(part.values, two.batches.values[rows])
    np.testing.assert_array_equal(part.symbol, two.batches.symbol[rows])
    assert part.first[0] == 0
    assert part.first[-1] == part.n_rows
    for bad in ((-1, 5), (5, 5), (0, 10_000)):
        with pytest.raises(ValueError, match="span must be within"):
            window(two.batches, *bad)


def test_delays_are_not_negative():
    with pytest.raises(ValueError, match="delay must be >= 0"):
        SetupJudge(delay=-1)
