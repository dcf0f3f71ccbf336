import numpy as np
import pytest
from sweeping import history, relaxed, single, vectors

from opportunity.backtest.whatif import WhatIf, thin
from opportunity.scoring.weights import Weights


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    ("timeframes", "decision"), [(("15m",), "15m"), (("15m", "1h"), "1h")], ids=["one", "two"]
)
def test_run_is_that_of_the_engine(timeframes, decision, threads):
    made, setup = history(timeframes, decision), relaxed(stop_atr=4.0)
    tried = WhatIf(made, setup, threads=threads)
    span = made.start_batch, len(made.batches)
    for weights in vectors(22, 8):
        run, wanted = tried.run(weights, points=10_000), single(made, weights, setup, span)
        assert run.tally.tobytes() == wanted.tally.tobytes()
        np.testing.assert_array_equal(run.equity, wanted.equity)
        np.testing.assert_array_equal(run.time, made.batches.time[made.start_batch :])
        assert run.final_equity == wanted.equity[-1]
        assert run.n_trades == len(wanted.trades)


def test_weights_may_be_what_a_slider_holds():
    tried = WhatIf(history(), relaxed())
    held = Weights(smc=0.5)
    run = tried.run(held)
    assert run.final_equity == tried.run(held.as_array()).final_equity
    assert run.final_equity == tried.run({"smc": 0.5}).final_equity
    assert run.final_equity != tried.run().final_equity
    assert run.metrics["final_equity"] == run.final_equity
    assert run.metrics["trades"] == run.n_trades
    assert run.source == "simulated"
    assert "trades, 10000 to" in repr(run)


def test_picture_keeps_the_extremes_and_the_end():
    tried = WhatIf(history(), relaxed(stop_atr=4.0))
    weights = vectors(30, 8)[25]
    whole, picture = tried.run(weights, points=10_000), tried.run(weights, points=101)
    assert len(picture.equity) <= 101
    assert picture.equity.min() == whole.equity.min()
    assert picture.equity.max() == whole.equity.max()
    assert picture.equity[-1] == whole.final_equity
    assert picture.time[-1] == whole.time[-1]
    assert (np.diff(picture.time) > 0).all()


def test_thin_of_a_short_curve_is_all_of_it():
    np.testing.assert_array_equal(thin(np.arange(5.0), 10), np.arange(5))
    assert thin(np.arange(1_000.0), 7)[-1] == 999
    assert len(thin(np.zeros(1_000), 7)) <= 7


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="points must be >= 3, was 2"):
        WhatIf(history()).run(points=2)


def test_wrong_weights_are_refused():
    with pytest.raises(ValueError, match="weights must be finite and >= 0"):
        WhatIf(history()).run(np.full(9, -1.0))
