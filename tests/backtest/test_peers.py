import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import random_bars
from pretend import PretendJudge, pretend_history

import opportunity as op
from opportunity.backtest.judge import ParityError
from opportunity.backtest.peers import peers_of
from opportunity.backtest.search import search
from opportunity.backtest.trials import MemoryTrials
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

HISTORY = pretend_history(skill=0.004)


def found(n=64, **changes):
    given = {"setup": PretendJudge(), "trials": MemoryTrials(), "seed": 2} | changes
    return search(HISTORY, "random", n, **given)


def test_the_best_comes_first_and_others_evenly():
    result = found()
    matrix = peers_of(result, HISTORY, PretendJudge(), 9)
    assert matrix.shape[1] == 10
    assert np.prod(1 + matrix[:, 0]) == pytest.approx(result.equity[-1] / result.cash)
    ends = np.prod(1 + matrix, axis=0) * result.cash
    assert set(np.round(ends, 6)) <= set(np.round(result.verdicts.equity, 6))
    assert len(set(np.round(ends, 9))) == 10
    assert peers_of(found(5), HISTORY, PretendJudge()).shape[1] == 5


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="n must be >= 1"):
        peers_of(found(), HISTORY, PretendJudge(), 0)
    with pytest.raises(ValueError, match="history must be the one that was searched"):
        peers_of(found(), pretend_history(skill=0.1), PretendJudge())
    with pytest.raises(ValueError, match="too few trades"):
        peers_of(found(least_trades=10_000), HISTORY, PretendJudge())
    with pytest.raises(ParityError):
        peers_of(found(), HISTORY, PretendJudge(wrong=0.1))


def test_a_real_search_is_judged_in_one_call():
    history = op.prepare(replace(random_bars(1_500), symbol="A/USDT"), timeframes=["1h"])
    setup = TradeSetup(TradeRecord(min_score=0.55, min_confidence=0.05))
    best = search(history, n=12, setup=setup, trials=MemoryTrials())
    matrix = op.peers_of(best, history, setup, 8)
    result = op.backtest(history, weights=best.weights, rules=setup.rules)
    evidence = op.evidence_of(result, n_trials=best.trials, matrix=matrix)
    np.testing.assert_array_equal(matrix[:, 0], evidence.returns)
    verdict = op.judge(evidence)
    assert verdict["pbo"].value >= 0.0
    assert "a day" in verdict["deflated_sharpe"].text


def test_the_example_of_the_docs_runs_as_written(monkeypatch):
    """The guards' block of docs/metrics.md, with a short history for `bars`."""
    monkeypatch.setattr("opportunity.backtest.means.open_trials", MemoryTrials)
    text = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    (block,) = re.findall(r"## Guards\n+```python\n(.*?)```", text, re.S)
    assert "1_000," in block
    rules = TradeRecord(min_score=0.55, min_confidence=0.05)
    scope = {"bars": replace(random_bars(1_500), symbol="A/USDT"), "op": op, "rules": rules}
    block = block.replace("1_000,", "12,").replace("TradeSetup()", "TradeSetup(rules)")
    exec(block, scope)
    assert scope["matrix"].shape[1] == 12
    assert scope["verdict"].refusal
