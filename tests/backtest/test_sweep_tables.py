import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from sweeping import history, quarters

from opportunity.backtest.decisions import look
from opportunity.backtest.history import prepare
from opportunity.backtest.sweep_score import LANES
from opportunity.backtest.sweep_tables import sweep_tables, tables_of
from opportunity.scoring.combination import gate_table, gated_score


def test_groups_hold_the_evidence_of_each_decision():
    made = history(("15m", "1h", "4h"), "1h", observed=True)
    tables = sweep_tables(made, block=64)
    gates, k = gate_table(), 0
    for d in range(0, len(tables), 7):
        seen = look(made, np.array([d]))
        while tables.starts[k + 1] <= d:
            k += 1
        for f in range(3):
            row = tables.local[f, d]
            lane = tables.groups[tables.first[f, k] + row // LANES, :, row % LANES]
            for i in range(9):
                s, c = seen.scores[0, f, i], seen.confidences[0, f, i]
                h = gated_score(s, seen.trend[0, f], seen.volatility[0, f], gates[i])
                there = seen.exists[i] and np.isfinite(s) and np.isfinite(c)
                wanted = (c, c * h, c * (h * h)) if there else (0, 0, 0)
                np.testing.assert_array_equal(lane[i::9], np.float32(wanted))


def test_blocks_cover_all_decisions_and_hold_one_set_of_detectors():
    tables = sweep_tables(history(("15m", "1h"), "1h", observed=True), block=32)
    assert tables.starts[0] == 0
    assert tables.starts[-1] == len(tables)
    sizes = np.diff(tables.starts)
    assert ((sizes > 0) & (sizes <= 32)).all()
    sets = tables.seen[2]
    for a, z in zip(tables.starts, tables.starts[1:], strict=False):
        assert len(set(sets[a:z].tolist())) == 1
    assert len(set(sets.tolist())) > 1
    assert int(tables.count.sum()) == len(tables.groups)


def test_long_timeframes_are_laid_out_once():
    tables = sweep_tables(history(("15m", "4h"), "15m"))
    assert tables.count[1].sum() < tables.count[0].sum() / 4


def test_shares_are_those_of_the_timeframes_that_scored():
    tables = sweep_tables(history(("15m", "1h", "4h"), "1h"), {"4h": 0.0, "1h": 3.0, "15m": 1.0})
    total = tables.shares.sum(axis=0)
    assert set(total.tolist()) <= {0.0, 1.0}
    assert (tables.shares[2] == 0).all()
    both = tables.shares[0] > 0
    assert set(tables.shares[1][both & (tables.shares[1] > 0)].tolist()) == {0.75}


def test_confidences_too_small_are_left_to_exact_arithmetic():
    made = history()
    stream = made.streams[0][0]
    confidences = stream.confidences.copy()
    confidences[1_000, 0] = 1e-200
    changed = replace(made, streams=((replace(stream, confidences=confidences),),))
    wild = np.flatnonzero(sweep_tables(changed).wild)
    assert stream.known[1_000] in changed.joined.batch[wild]
    assert wild.size == 1
    assert not sweep_tables(made).wild.any()


def test_tables_are_made_once_and_go_with_their_history():
    made = prepare(quarters(400, holes=False), timeframes=["15m"])
    tables = tables_of(made)
    assert tables_of(made) is tables
    assert tables_of(made, {"15m": 0.5}) is not tables
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("n", [120, 131, 612])
def test_any_number_of_decisions_has_room(n):
    tables = sweep_tables(prepare(quarters(n, holes=False), timeframes=["15m"]))
    assert len(tables.groups) == tables.count.sum() == sum(
        -(-k // LANES) for k in np.diff(tables.starts).tolist()
    )
