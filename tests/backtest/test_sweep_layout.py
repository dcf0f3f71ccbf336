import numpy as np
import pytest
from sweeping import history

from opportunity.backtest.sweep_layout import hangs_on_confidence, question, room, vectors
from opportunity.backtest.sweep_score import SIDED
from opportunity.backtest.sweep_tables import tables_of
from opportunity.trading.costs import Sizing
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

OBSERVED = ("15m", "1h"), "1h", 1, 2_600, True


def test_weights_are_shares_of_those_that_exist():
    tables = tables_of(history(*OBSERVED))
    weights = np.arange(1.0, 10.0)
    laid = vectors(tables, weights[None])
    for exists, normal in zip(tables.exists, laid.normal[:, 0], strict=True):
        wanted = np.where(exists, weights, 0.0) / max(weights[exists].sum(), 1.0)
        np.testing.assert_array_equal(normal, wanted.astype(np.float32))
    assert not laid.wild.any()


@pytest.mark.parametrize(
    ("weights", "wild"),
    [
        (np.zeros(9), False), (np.full(9, 1e-300), True), (np.full(9, 1e308), True),
        (np.eye(9)[0], False), (np.where(np.arange(9) == 0, 1e-13, 1.0), True),
        (np.where(np.arange(9) == 0, 1e-10, 1.0), False), (np.full(9, 1e-200), False),
    ],
)  # fmt: skip
def test_vectors_beyond_single_precision_are_found(weights, wild):
    laid = vectors(tables_of(history()), weights[None])
    assert laid.wild[0] == wild
    assert np.isfinite(laid.normal).all()


def test_nothing_is_enterable_where_trust_is_too_low():
    tables = tables_of(history(*OBSERVED))
    asked = question(tables, TradeRecord(min_trust=0.9))
    low = ~(tables.trust >= 0.9)
    assert 0 < low.sum() < low.size
    assert (asked.shares[:, low] == 0).all()
    assert (asked.trusted[:, low] == 0).all()
    np.testing.assert_array_equal(asked.exact[-1], ~low)
    alone = tables_of(history())
    needs = question(alone, TradeRecord(min_trust=0.9)).fast[-1][: len(alone)]
    np.testing.assert_array_equal(np.isinf(needs), ~(alone.trust >= 0.9))


def test_one_timeframe_has_a_side_only_from_its_own_bound_on():
    alone, several = tables_of(history()), tables_of(history(*OBSERVED))
    open_ = TradeRecord(min_score=0.5)
    assert question(alone, open_).fast[0] == SIDED
    assert question(several, open_).fast[0] == 0


def test_room_holds_the_longest_block():
    tables = tables_of(history())
    made = room(tables, 10)
    assert made.words.size * 8 >= np.diff(tables.starts).max() + 16
    assert made.logs[2].size == 10


@pytest.mark.parametrize(
    ("sizing", "risk", "rules", "hangs"),
    [
        (Sizing.risk(0.01), {}, {}, False),  # 1 % at a confidence of 0.2 is below a quarter Kelly
        (Sizing.risk(0.05), {}, {}, True),
        (Sizing.risk(0.01), {}, {"min_confidence": 0.0}, True),
        (Sizing.risk(0.05), {"kelly": 0.0}, {}, False),
        (Sizing.fixed(0.1), {}, {}, True),
        (Sizing.fixed(0.1), {}, {"stop_atr": 0.0}, False),
        (Sizing.all_in(), {}, {}, False),
    ],
)
def test_confidence_is_asked_for_only_where_kelly_may_hold_a_size(sizing, risk, rules, hangs):
    setup = TradeSetup(TradeRecord(**rules), sizing=sizing, risk=RiskRecord(**risk))
    assert hangs_on_confidence(setup) is hangs
