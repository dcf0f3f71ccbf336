import os
import signal
import warnings
from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars
from pretend import PretendJudge, pretend_history

from opportunity.backtest import cluster, dask_cluster
from opportunity.backtest.candidates import random_weights
from opportunity.backtest.cluster import Threads, judge_all
from opportunity.backtest.dask_cluster import ATTEMPTS, Cluster, ClusterError
from opportunity.backtest.history import prepare
from opportunity.backtest.judge import CancelledError
from opportunity.backtest.trials import MemoryTrials
from opportunity.backtest.walkforward import walk_forward
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

ALL = np.ones(9, np.bool_)


def square(data: int, piece: int) -> int:
    return data + piece * piece


def same(a, b) -> bool:
    return len(a) == len(b) and all(
        x.tally.tobytes() == y.tally.tobytes() and x.equity.tobytes() == y.equity.tobytes()
        for x, y in zip(a, b, strict=True)
    )


@pytest.fixture(scope="module")
def dask():
    """Two processes of one thread each on loopback."""
    from distributed import LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it finds on this machine, not of us
        started = LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
            host="127.0.0.1",
        )  # fmt: skip
    yield started
    started.close()


def test_cluster_equals_threads_and_loses_nothing_when_a_worker_dies(dask, monkeypatch):
    monkeypatch.setattr(cluster, "PIECE", 16)
    history, judge = pretend_history(3_000), PretendJudge()
    chunks = [(random_weights(500, ALL, 1), 10, 2_000), (random_weights(300, ALL, 2), 500, 3_000)]
    local = judge_all(judge, history, chunks, Threads(2))
    told, killed = [], []

    def progress(done: int, n: int) -> None:
        told.append((done, n))
        if not killed and done >= 5:
            victim = next(iter(dask.workers.values()))
            killed.append(victim.pid)
            os.kill(victim.pid, signal.SIGKILL)

    with Cluster(dask.scheduler_address) as away:
        assert same(judge_all(judge, history, chunks, away, progress), local)
    assert killed
    assert told[-1] == (51, 51)


@pytest.mark.slow
def test_walking_forward_on_a_cluster_equals_walking_here(dask):
    bars = replace(random_bars(900, seed=3), symbol="S/USDT", source="simulated")
    history = prepare(bars, timeframes=["1h", "4h"], partial=True)
    setup = TradeSetup(rules=TradeRecord(min_score=0.55, min_confidence=0.05))
    asked = {"weights": random_weights(300, np.arange(9) < 6, 1), "n_folds": 2, "setup": setup}
    asked["least_trades"] = 10
    here = walk_forward(history, trials=MemoryTrials(), **asked)
    there = walk_forward(
        history, trials=MemoryTrials(), cluster=dask.scheduler_address, **asked
    )
    np.testing.assert_array_equal(there.equity, here.equity)
    np.testing.assert_array_equal(there.weights, here.weights)
    assert [f.in_sample for f in there.folds] == [f.in_sample for f in here.folds]


def test_data_that_died_with_its_workers_is_sent_again(dask, monkeypatch):
    monkeypatch.setattr(cluster, "PIECE", 16)
    history, judge = pretend_history(3_000), PretendJudge()
    chunks = [(random_weights(480, ALL, 3), 10, 3_000)]
    killed = []

    def progress(done: int, n: int) -> None:
        if not killed and done >= 4:
            for victim in dask.workers.values():
                killed.append(victim.pid)
                os.kill(victim.pid, signal.SIGKILL)

    with Cluster(dask.scheduler_address) as away:
        found = judge_all(judge, history, chunks, away, progress)
    assert len(killed) == 2
    assert same(found, judge_all(judge, history, chunks, Threads(2)))


def test_cluster_passes_errors_on_and_stops(dask):
    def broken(data, piece):
        return 1 // piece

    with Cluster(dask.scheduler_address) as away:
        with pytest.raises(ZeroDivisionError):
            away.map(broken, None, [1, 0, 2])
        with pytest.raises(CancelledError):
            away.map(square, 1, range(3), stop=lambda: True)


def test_a_piece_that_kills_every_worker_is_given_up(dask):
    def deadly(data, piece):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)

    with (
        Cluster(dask.scheduler_address) as away,
        pytest.raises(ClusterError, match=f"lost {ATTEMPTS} times"),
    ):
        away.map(deadly, None, [1])


def test_a_cluster_that_is_not_there(monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 0.5)
    with pytest.raises(ClusterError, match="reachable"):
        Cluster("tcp://127.0.0.1:9")
    with pytest.raises(ClusterError, match="must be tcp://"):
        Cluster("http://127.0.0.1:9")
