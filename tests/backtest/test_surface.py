from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars

from opportunity.backtest.cluster import Threads
from opportunity.backtest.engine import backtest
from opportunity.backtest.history import History, prepare
from opportunity.backtest.setup_judge import SetupJudge
from opportunity.backtest.surface import METRICS, surface
from opportunity.trading.costs import MOST_COST, Costs
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

RULES = TradeRecord(min_score=0.55, min_confidence=0.05)
SETUP = TradeSetup(rules=RULES, costs=Costs(1e-5, 2e-5, 2e-5))


@pytest.fixture(scope="module")
def history() -> History:
    bars = replace(random_bars(1_200, seed=3), symbol="S/USDT", source="simulated")
    return prepare(bars, timeframes=["1h"], partial=True)


def test_cells_are_backtests(history):
    found = surface(history, multiples=(0.5, 2.0), delays=(0, 1), setup=SETUP)
    for i, multiple in enumerate((0.5, 2.0)):
        costs = Costs(1e-5 * multiple, 2e-5 * multiple, 2e-5 * multiple)
        result = backtest(history, rules=RULES, costs=costs)
        for name in METRICS:
            assert found.values[name][i, 0] == pytest.approx(
                getattr(result.metrics, name), rel=1e-9, nan_ok=True
            )
    assert found.values["total_return"][0, 0] != found.values["total_return"][0, 1]
    assert (found.values["trades"] > 0).all()
    assert found.source == "simulated"


def test_break_even_is_where_nothing_is_earned(history):
    # Of many, one that earns without costs: a walk at random has such, too.
    for seed in range(20):
        weights = np.random.default_rng(seed).random(9)
        found = surface(history, weights, multiples=(0.0,), delays=(0, 2), setup=SETUP)
        if (found.values["total_return"] > 0).all():
            break
    assert (found.break_even > 0).all()
    for delay, multiple in zip((0, 2), found.break_even, strict=True):
        for factor, earns in ((0.999, True), (1.001, False)):
            costs = replace(
                SETUP.costs, **{n: getattr(SETUP.costs, n) * multiple * factor
                                for n in ("fee", "slippage", "spread")},
            )  # fmt: skip
            judge = SetupJudge(replace(SETUP, costs=costs), delay=delay)
            curve = judge.rerun(
                history, weights, history.start_batch, len(history.batches), 10_000.0
            )
            assert (curve[-1] > 10_000.0) == earns
    np.testing.assert_allclose(found.break_even_cost, found.break_even * 4e-5)


def test_what_earns_nothing_without_costs_breaks_even_at_none(history):
    never = TradeSetup(rules=replace(RULES, min_score=1.0))
    found = surface(history, multiples=(1.0,), delays=(0,), setup=never)
    assert found.break_even[0] == 0.0
    assert found.values["trades"][0, 0] == 0
    assert np.isnan(found.values["sharpe"][0, 0])


def test_without_costs_there_is_nothing_to_multiply(history):
    free = TradeSetup(rules=RULES, costs=Costs(0.0, 0.0, 0.0))
    assert np.isnan(surface(history, multiples=(1.0,), delays=(0,), setup=free).break_even[0])


def test_costs_end_where_they_are_a_typing_error(history):
    found = surface(history, multiples=(1e6, 1e9), delays=(0,), setup=SETUP)
    assert found.values["total_return"][0, 0] == found.values["total_return"][1, 0]
    assert MOST_COST < 1e6 * 1e-5


def test_frames(history):
    found = surface(history, multiples=(0, 1), delays=(0, 1, 2), setup=SETUP, at=Threads(1))
    assert found.to_frame("sharpe").shape == (2, 3)
    assert found.to_frame().shape == (6, len(METRICS))
    assert found.to_frame().loc[(1.0, 2), "trades"] == found.values["trades"][1, 2]
    assert "2 bars late" in repr(found)


def test_progress_and_wrong_numbers(history):
    told = []
    surface(
        history, multiples=(1.0,), delays=(0, 1), setup=SETUP,
        progress=lambda *done: told.append(done),
    )
    assert told[-1] == (4, 4)
    for given in ({"multiples": ()}, {"delays": ()}, {"multiples": (-1.0,)}, {"delays": (-1,)}):
        with pytest.raises(ValueError, match=r"must (each hold|be >= 0)"):
            surface(history, setup=SETUP, **given)
