from dataclasses import replace

import numpy as np
import pytest
from sweeping import assert_equal_runs, history, quarters, relaxed, single, vectors

from opportunity.backtest.decisions import decide_all
from opportunity.backtest.history import prepare
from opportunity.backtest.setup_judge import SetupJudge
from opportunity.backtest.sweep_exact import exact_room, exact_side
from opportunity.backtest.sweep_layout import layout, question, room
from opportunity.backtest.sweep_layout import vectors as laid_out
from opportunity.backtest.sweep_run import code_block, run_span
from opportunity.backtest.sweep_score import DOUBT
from opportunity.backtest.sweep_tables import sweep_tables, tables_of
from opportunity.errors import NotSweepable
from opportunity.trading.bounding import BOUNDS
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import UNLIMITED, RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

MARKETS = [
    (("15m",), "15m", False), (("15m", "1h"), "15m", False), (("15m", "1h", "4h"), "1h", False),
    (("15m", "1h"), "1h", True),
]  # fmt: skip
MARKET_IDS = ["one", "two", "three", "observed"]


def sides(made, rules, weights, tables=None):
    """Return codes as they are screened, and as they are once every doubt is settled."""
    tables = tables or tables_of(made)
    asked, laid = question(tables, rules), laid_out(tables, weights[None])
    mine, precise = room(tables, len(made.batches)), exact_room(tables.n_timeframes, 9)
    raw = np.zeros(len(tables), np.int8)
    codes = mine.words.view(np.int8)
    for k in range(tables.starts.size - 1):
        a, z = tables.starts[k : k + 2]
        code_block(
            k, laid.normal[tables.seen[2][a], 0], laid.wild[0], layout(tables, asked), asked.fast,
            mine.scores, codes,
        )
        raw[a:z] = codes[: z - a]
    settled = raw.copy()
    for d in np.flatnonzero(raw == DOUBT):
        settled[d] = exact_side(weights, tables.seen, asked.exact, precise, int(d))
    return raw, settled


@pytest.mark.parametrize(("timeframes", "decision", "observed"), MARKETS, ids=MARKET_IDS)
@pytest.mark.parametrize(
    "rules",
    [
        TradeRecord(), TradeRecord(min_score=0.5, min_confidence=0.0, max_disagreement=1.0),
        TradeRecord(min_score=0.55, min_confidence=0.1, direction="BEARISH"),
        TradeRecord(min_score=0.55, min_confidence=0.05, max_disagreement=0.4, min_trust=0.9),
    ],
    ids=["default", "open", "bearish", "trusted"],
)
def test_screened_sides_are_those_of_the_engine(timeframes, decision, observed, rules):
    made = history(timeframes, decision, observed=observed)
    found = set()
    for weights in vectors(24, 5):
        wanted = decide_all(made, weights, rules).side
        raw, settled = sides(made, rules, weights)
        np.testing.assert_array_equal(settled, wanted)
        found |= set(settled.tolist())
        if weights.sum() == 1.0 and (weights == 0).sum() < 2:
            assert (raw == DOUBT).mean() < 0.05
    assert found == ({-1, 0} if rules.direction else {-1, 0, 1})


@pytest.mark.parametrize(("timeframes", "decision", "observed"), MARKETS, ids=MARKET_IDS)
def test_ties_at_thresholds_are_settled_as_in_the_engine(timeframes, decision, observed):
    """Rules whose bounds are values that occur, and their neighbours on both sides."""
    made = history(timeframes, decision, observed=observed)
    rng = np.random.default_rng(3)
    n_met = 0
    for weights in vectors(20, 7)[17:]:
        told = decide_all(made, weights, TradeRecord())
        usual = np.flatnonzero(
            (np.abs(told.net) > 0.2) & (told.confidence > 0.05) & (told.disagreement > 0.05)
        )
        for at in rng.choice(usual, 4, replace=False):
            for name, value in (
                ("min_score", (1.0 + abs(told.net[at])) / 2.0),
                ("min_confidence", told.confidence[at]),
                ("max_disagreement", told.disagreement[at]),
            ):
                for bound in (value, np.nextafter(value, 0), np.nextafter(value, 2)):
                    rules = TradeRecord(**{
                        "min_score": 0.55, "min_confidence": 0.01, "max_disagreement": 0.9,
                        name: float(bound),
                    })  # fmt: skip
                    wanted = decide_all(made, weights, rules).side
                    raw, settled = sides(made, rules, weights)
                    np.testing.assert_array_equal(settled, wanted)
                    n_met += raw[at] == DOUBT
    assert n_met > 20


def test_small_blocks_and_sets_of_detectors_change_nothing():
    made = history(("15m", "1h"), "1h", observed=True)
    tables = sweep_tables(made, block=16)
    assert len(np.unique(tables.seen[2])) > 1
    for weights in vectors(20, 9)[15:]:
        raw, settled = sides(made, TradeRecord(min_score=0.55), weights)
        again, same = sides(made, TradeRecord(min_score=0.55), weights, tables)
        np.testing.assert_array_equal(settled, same)
        np.testing.assert_array_equal(raw, again)


SETUPS = {
    "default": TradeSetup(),
    "relaxed": relaxed(),
    "fixed": TradeSetup(
        relaxed(stop_atr=4.0, trail_atr=0.0, time_stop=0, targets_r=(2.0,), shares=(0.5,)).rules,
        Costs(0.0002, 0.0001, 0.0001), Sizing.fixed(0.5), UNLIMITED,
    ),
    "close": TradeSetup(relaxed(fill="close", time_stop=5).rules, Costs(), Sizing(), UNLIMITED),
    "limit": TradeSetup(relaxed(fill="limit", limit_atr=0.3).rules, Costs(), Sizing(), UNLIMITED),
    "no stop": TradeSetup(
        relaxed(stop_atr=0.0, trail_atr=0.0, time_stop=40, opposite=False).rules,
        Costs(0.0, 0.0), Sizing.notional(2_000.0), UNLIMITED,
    ),
    "whole": TradeSetup(relaxed().rules, Costs(), Sizing.all_in(whole_units=True), UNLIMITED),
    "strict": TradeSetup(
        relaxed().rules, Costs(), Sizing.risk(0.05),
        RiskRecord(max_daily_loss=0.01, max_losses=2, max_drawdown=0.05, cooldown_h=30.0),
    ),
    "probing": TradeSetup(
        relaxed(trail_atr=0.0).rules, Costs(), Sizing.risk(0.03), replace(
            UNLIMITED, max_daily_loss=0.02, max_losses=1, max_drawdown=0.03, cooldown_h=4.0
        ),
    ),
    "kelly": TradeSetup(
        relaxed().rules, Costs(), Sizing.risk(0.1), replace(UNLIMITED, kelly=0.3, payoff=1.7)
    ),
    "bounded": TradeSetup(
        relaxed().rules, Costs(), Sizing.risk(0.03), RiskRecord(
            kelly=0.03, payoff=2.0, max_volume=0.0002, max_volatility=0.004, max_losses=0,
            max_drawdown=1.0, max_daily_loss=1.0, max_position=100.0, max_leverage=100.0,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
@pytest.mark.parametrize(("timeframes", "decision", "observed"), MARKETS, ids=MARKET_IDS)
def test_running_sums_are_those_of_the_engine_bit_for_bit(timeframes, decision, observed, setup):
    made = history(timeframes, decision, observed=observed)
    matrix = vectors(21, 11)
    found = run_span(made, matrix, (made.start_batch, len(made.batches)), setup)
    assert_equal_runs(made, matrix, setup, found)
    assert found.tally["n_trades"].max() > 4


def test_many_vectors_are_those_of_the_engine():
    made = history(("15m",), "15m")
    matrix = vectors(96, 13)
    setup = SETUPS["fixed"]
    found = run_span(made, matrix, (made.start_batch, len(made.batches)), setup)
    assert_equal_runs(made, matrix, setup, found)
    assert len(np.unique(found.equity)) > 70


def test_span_starts_flat_and_closes_everything():
    made = history(("15m", "1h"), "1h")
    matrix, setup = vectors(20, 3)[14:], SETUPS["fixed"]
    for span in ((500, 1_203), (1_203, 1_204), (1_007, 1_009), (101, 2_000)):
        found = run_span(made, matrix, span, setup)
        for i, weights in enumerate(matrix):
            ran = single(made, weights, setup, span)
            assert found.tally[i : i + 1].tobytes() == ran.tally.tobytes()
            assert found.equity[i] == ran.equity[-1]


@pytest.mark.parametrize("span", [(-1, 5), (5, 5), (9, 5), (0, 100_000)])
def test_span_outside_is_refused(span):
    with pytest.raises(ValueError, match="span must be within"):
        run_span(history(), vectors(2), span, TradeSetup())


def test_several_symbols_are_refused():
    one = quarters(holes=False)
    several = prepare([one, one.label(symbol="ETH/USDT")], timeframes=["15m"])
    with pytest.raises(NotSweepable, match="one, was 2"):
        run_span(several, vectors(2), (200, 300), TradeSetup())


def test_judge_of_the_product_sweeps():
    made, matrix = history(), vectors(20)[12:]
    span = made.start_batch, len(made.batches)
    judge = SetupJudge(SETUPS["relaxed"])
    found = judge(made, matrix, *span)
    assert found.tally.tobytes() == run_span(made, matrix, span, judge.setup).tally.tobytes()
    for i, weights in enumerate(matrix):
        assert found.equity[i] == judge.rerun(made, weights, *span, judge.cash)[-1]


def test_every_bound_holds_some_size_that_the_sweep_finds_again():
    """So the comparison above says something about each of them."""
    made = history(("15m",), "15m")
    found = set()
    for name in ("kelly", "bounded"):
        setup = SETUPS[name]
        for weights in vectors(24, 11)[16:]:
            ran = single(made, weights, setup, (made.start_batch, len(made.batches)))
            found |= set(ran.orders["bound"].tolist())
    assert found >= {BOUNDS.index(n) for n in ("liquidity", "volatility", "kelly")}
