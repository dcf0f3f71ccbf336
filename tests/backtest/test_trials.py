import math
from dataclasses import replace

import numpy as np
import pytest

from opportunity.backtest.judge import Verdicts
from opportunity.backtest.trials import MemoryTrials, judged, key_of, open_trials, total
from opportunity.storage.judged import Judged
from opportunity.storage.trials import TrialRepository
from opportunity.trading.records import TALLY


def verdicts(returns: np.ndarray) -> Verdicts:
    """Judge fixed returns (n, bars)."""
    tally = np.zeros(len(returns), TALLY)
    tally["n"], tally["total"] = returns.shape[1], returns.sum(axis=1)
    tally["squares"] = (returns**2).sum(axis=1)
    tally["n_trades"] = 20
    return Verdicts(tally, 100.0 * np.prod(1 + returns, axis=1))


def work(n: int = 50, bars: int = 400, seed: int = 1, dataset: str = "d") -> tuple[Judged, list]:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (n, bars))
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    return judged(dataset, "sweep", verdicts(returns), 100.0, f"k{seed}", seed), list(ratios)


def test_sums_are_those_of_the_sharpe_ratios():
    entry, ratios = work()
    assert (entry.n, entry.bars, entry.valued, entry.at) == (50, 400, 50, 1)
    assert entry.best == pytest.approx(max(ratios))
    assert entry.mean == pytest.approx(np.mean(ratios))
    assert entry.squares == pytest.approx(np.var(ratios) * 50)


def test_variance_of_several_sweeps_is_that_of_all_their_ratios():
    counter = MemoryTrials()
    everything = []
    for seed in range(4):
        entry, ratios = work(n=20 + seed, seed=seed)
        assert counter.add(entry)
        everything += ratios
    count = counter.count("d")
    assert (count.n, count.first, count.last) == (len(everything), 0, 3)
    assert count.best == pytest.approx(max(everything))
    assert count.variance(400) == pytest.approx(np.var(everything, ddof=1))


def test_trials_on_short_spans_are_brought_to_the_length_of_long_ones():
    short, long = MemoryTrials(), MemoryTrials()
    short.add(work(n=4_000, bars=50)[0])
    long.add(work(n=4_000, bars=800, seed=2)[0])
    assert short.count("d").variance(800) == pytest.approx(long.count("d").variance(800), rel=0.1)


def test_the_same_work_counts_once_and_datasets_do_not_mix():
    counter = MemoryTrials()
    entry, _ = work()
    assert counter.add(entry)
    assert not counter.add(replace(entry, at=99, kind="search"))
    assert counter.count("d").n == 50
    assert counter.count("other").n == 0
    assert counter.read("d") == (entry,)


def test_newest_first():
    counter = MemoryTrials()
    for seed in (3, 1, 2):
        counter.add(work(seed=seed)[0])
    assert [w.at for w in counter.read("d", 2)] == [3, 2]


def test_vectors_that_never_trade_count_but_have_no_ratio():
    flat = judged("d", "sweep", verdicts(np.zeros((7, 30))), 100.0, "k", 5)
    assert (flat.n, flat.valued, flat.squares) == (7, 0, 0.0)
    assert math.isnan(flat.best)
    count = total([flat])
    assert count.n == 7
    assert math.isnan(count.deviation)


def test_key_knows_vectors_up_to_a_factor_and_their_terms():
    matrix = np.random.default_rng(1).random((5, 9))
    assert key_of(matrix, "a", 1) == key_of(matrix * 3.0, "a", 1)
    assert key_of(matrix, "a", 1) != key_of(matrix, "a", 2)
    assert key_of(matrix, "a", 1) != key_of(matrix[::-1], "a", 1)
    assert len(key_of(np.zeros((1, 9)))) == 64


def test_nothing_is_not_counted():
    with pytest.raises(ValueError, match="n must be >= 1"):
        MemoryTrials().add(replace(work()[0], n=0))


def test_the_database_of_the_settings_counts_across_restarts(monkeypatch, tmp_path):
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path))
    entry, _ = work()
    first = open_trials()
    assert isinstance(first, TrialRepository)
    assert first.add(entry)
    first.close()
    again = open_trials()
    assert again.count("d").n == 50
    assert not again.add(entry)
    again.close()


def test_without_a_database_memory_counts(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path / "file"))
    assert isinstance(open_trials(), MemoryTrials)
