import numpy as np
import pytest
from sweeping import assert_equal_runs, history, quarters, relaxed, vectors

import opportunity as op
from opportunity.backtest.cluster import Threads
from opportunity.backtest.engine import backtest
from opportunity.backtest.judge import LEAST_TRADES, CancelledError
from opportunity.backtest.sweep import PIECE, sweep
from opportunity.backtest.trials import MemoryTrials
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import NotSweepable
from opportunity.market.bars import Bars


def given(setup):
    return {
        "rules": setup.rules, "costs": setup.costs, "risk": setup.risk, "sizing": setup.sizing,
        "cash": setup.cash,
    }  # fmt: skip


def test_sweep_repeats_the_engine_for_every_vector():
    made, setup = history(("15m", "1h"), "1h"), relaxed()
    matrix = vectors(64, 4)
    assert_equal_runs(made, matrix, setup, sweep(made, matrix, **given(setup)))


def test_sweep_repeats_backtest_of_bars():
    bars, setup = quarters(1_200, holes=False), relaxed()
    matrix = vectors(22, 2)
    swept = sweep(bars, matrix, timeframe="1h", **given(setup))
    for i in (0, 3, 18, 21):
        run = backtest(
            bars, weights=matrix[i], timeframes=["1h"], decision_timeframe="1h", **given(setup)
        )
        assert swept.equity[i] == run.equity[-1]
        assert swept.tally["n_trades"][i] == len(run.trades)
    np.testing.assert_array_equal(swept.time, run.time)


@pytest.mark.parametrize("n", [1, 2, 3, PIECE - 1, 2 * PIECE + 3])
def test_number_of_vectors_and_threads_change_nothing(n):
    made, setup = history(), relaxed()
    matrix = vectors(n, 6)
    alone = sweep(made, matrix, **given(setup), executor=Threads(1))
    several = sweep(made, matrix, **given(setup), executor=Threads(3))
    assert alone.tally.tobytes() == several.tally.tobytes()
    assert alone.equity.tobytes() == several.equity.tobytes()
    pieces = [sweep(made, matrix[i : i + 1], **given(setup)) for i in (0, n // 2, n - 1)]
    assert [p.equity[0] for p in pieces] == alone.equity[[0, n // 2, n - 1]].tolist()


def test_frame_and_best_tell_the_same():
    made = history()
    swept = sweep(made, vectors(40, 6), **given(relaxed()))
    frame = swept.to_frame()
    assert len(frame) == len(swept) == 40
    assert list(frame.columns[:9]) == list(DETECTOR_NAMES)
    np.testing.assert_array_equal(frame["final_equity"], swept.equity)
    np.testing.assert_array_equal(frame["trades"], swept.tally["n_trades"])
    best = swept.best("total_return", 3)
    enough = frame[frame["trades"] >= LEAST_TRADES].sort_values("total_return", ascending=False)
    assert list(best.index) == list(enough.index[:3])
    assert swept.best("sharpe", 1, least_trades=100_000).empty
    assert "40 vectors" in repr(swept)
    assert "simulated" in repr(swept)


def test_no_vector_gives_an_empty_result():
    swept = sweep(history(), np.empty((0, 9)))
    assert len(swept) == 0
    assert swept.to_frame().empty


def test_progress_is_told_and_work_can_be_stopped():
    told = []
    sweep(history(), vectors(300), progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (3, 3)
    with pytest.raises(CancelledError):
        sweep(history(), vectors(20), stop=lambda: True)


@pytest.mark.parametrize("name", ["finer", "funding"])
def test_what_a_sweep_cannot_do_is_refused(name):
    with pytest.raises(NotSweepable, match=f"{name} must not be given to a sweep"):
        sweep(history(), vectors(2), **{name: ()})


def test_several_symbols_are_refused():
    one = quarters(300, holes=False)
    with pytest.raises(NotSweepable, match="symbols of a sweep must be one, was 2"):
        sweep([one, one.label(symbol="ETH/USDT")], vectors(2), timeframe="15m")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(9), r"weights must be of shape \(n_vectors, 9\), was \(9,\)"),
        (np.ones((2, 8)), r"was \(2, 8\)"),
        (np.diag(np.full(9, -1.0)), "was -1.0 for harmonic in vector 0"),
        (np.full((1, 9), np.nan), "was nan for harmonic"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        sweep(history(), weights)


def test_history_has_its_own_timeframes():
    with pytest.raises(ValueError, match="timeframes must not be given with a History"):
        sweep(history(), vectors(2), timeframe="1h")


def test_public_name():
    assert op.sweep is sweep
    assert issubclass(op.NotSweepable, op.OpportunityError)
    assert isinstance(quarters(10), Bars)


def test_vectors_are_counted_once_where_a_counter_is_given():
    made, setup, trials = history(), relaxed(), MemoryTrials()
    matrix = vectors(20, 6)
    for _ in range(2):
        sweep(made, matrix, **given(setup), trials=trials)
    (entry,) = trials.read(made.digest)
    assert (entry.n, entry.kind) == (20, "sweep")
    sweep(made, matrix[:5], **given(setup), trials=trials)
    assert trials.count(made.digest).n == 25
