
from dataclasses import replace

import numpy as np
import pytest

from app.components.filters import Filters
from app.components.rows import (
    FIELDS,
    PARTS,
    STOPPED,
    Shown,
    ranking,
    rows,
    scanned_state,
    table_state,
)
from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.trust import MISMATCH, N_FACTORS, PRICE
from opportunity.scoring.rules import STOPS
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.strategy import Evaluation, ScanRules, evaluate


@pytest.fixture
def evaluation() -> Evaluation:
    rng = np.random.default_rng(2)
    n, frames = 30, ("15m", "1h", "4h")
    shape = (n, len(frames))
    scores = rng.uniform(-1, 1, (*shape, len(DETECTOR_NAMES)))
    scores[0] = np.nan  # a symbol without a score
    scores[1, 0] = np.nan  # one without a timeframe
    snapshot = MarketSnapshot(
        version=1, time=0, source="simulated", symbols=tuple(f"S{i}/USDT" for i in range(n)),
        timeframes=frames, scores=scores, confidences=np.where(np.isnan(scores), np.nan, 0.5),
        trend=np.zeros(shape), volatility=np.full(shape, 0.5), atr=np.ones(shape),
        closed=np.ones(shape, np.int64), price=rng.uniform(1, 100, n),
        change_24h=np.full(n, np.nan), volume_24h=np.full(n, 1e7), drawdown_rank=np.zeros(n),
        flagged=np.zeros(shape, bool), patterns=(("inside_bar", "levels"),) * n,
    )
    return evaluate(snapshot, rules=ScanRules(threshold=0.55), exists=np.ones(9, bool))


def test_ranked_rows_come_first_and_unscored_ones_never(evaluation: Evaluation) -> None:
    order = ranking(evaluation)
    passed = len(evaluation)
    assert 0 < passed < order.size
    assert order[:passed].tolist() == evaluation.order.tolist()
    assert 0 not in order
    keys = evaluation.key[order[passed:]]
    assert (np.diff(keys) <= 0).all()


def test_a_row_says_what_the_record_says(evaluation: Evaluation) -> None:
    values = rows(evaluation, ranking(evaluation))
    for place, row in enumerate(values):
        shown = dict(zip(FIELDS, row, strict=True))
        record = evaluation.find(shown["symbol"])
        assert record is not None
        assert shown["rank"] == place + 1
        assert shown["price"] == record.price
        assert shown["change"] is None
        assert shown["score"] == pytest.approx(record.final_score, abs=6e-4)
        assert {1: "BULLISH", 0: "NEUTRAL", -1: "BEARISH"}[shown["direction"]] == record.direction
        assert (shown["action"], shown["risk"]) == (record.recommended_action, record.risk_level)
        assert shown["ranked"] == (record.rank is not None) == (shown["stopped"] == "")
        assert shown["badges"] == ["Inside bar"]
        told = {
            t: f[1]
            for t, f in zip(evaluation.snapshot.timeframes, shown["frames"], strict=True) if f
        }
        assert told == pytest.approx(record.timeframes, abs=6e-4)


def test_state_of_nothing_is_empty() -> None:
    assert table_state(None) == {
        "frames": [], "rows": [], "total": 0, "passed": 0, "draft": False, "parts": PARTS,
        "uncalibrated": "", "held_up": "", "problem": "", "scan": "", "time": None, "source": "",
    }


def test_success_and_parts_are_those_of_the_record(evaluation: Evaluation) -> None:
    state = table_state(evaluation)
    assert state["uncalibrated"].startswith("uncalibrated: ")
    assert state["parts"][-1] == "ICT"
    for row in state["rows"]:
        shown = dict(zip(FIELDS, row, strict=True))
        record = evaluation.find(shown["symbol"])
        assert record is not None
        assert shown["success"] is None
        for name, value in zip([*DETECTOR_NAMES, "ict"], shown["parts"], strict=True):
            known = 2 * record.components[name] - 1
            assert value == pytest.approx(known, abs=6e-3) if known == known else value is None


def test_filters_choose_only_when_not_all_rows_fit(evaluation: Evaluation) -> None:
    everything = table_state(evaluation, Shown(filters=Filters(side="bullish", q="S1")))
    assert len(everything["rows"]) == everything["total"] == 29
    cut = table_state(evaluation, Shown(limit=5, filters=Filters(side="bullish", conf=0.01)))
    assert cut["total"] == 29
    assert 0 < len(cut["rows"]) <= 5
    assert {row[FIELDS.index("direction")] for row in cut["rows"]} == {1}
    found = table_state(evaluation, Shown(limit=5, filters=Filters(q="s12usdt")))
    assert [row[1] for row in found["rows"]] == ["S12/USDT"]


def test_parts_of_a_scan_are_ranked_as_if_at_once(evaluation: Evaluation) -> None:
    snapshot, rules = evaluation.snapshot, ScanRules(threshold=0.55)
    names, every = snapshot.symbols, np.ones(9, bool)
    parts = [
        evaluate(snapshot, rules=rules, symbols=names[i : i + 7], exists=every)
        for i in range(0, len(names), 7)
    ]
    whole, merged = table_state(evaluation), scanned_state(parts, Shown(scan="Deep"))
    assert merged["rows"] == whole["rows"]
    assert {n: merged[n] for n in ("total", "passed")} == {n: whole[n] for n in ("total", "passed")}
    assert (merged["scan"], whole["scan"]) == ("Deep", "")


def test_every_rule_has_its_words() -> None:
    assert tuple(STOPPED) == STOPS


def test_rows_change_with_the_weights(evaluation: Evaluation) -> None:
    heavy = evaluate(evaluation.snapshot, weights={"sar": 50.0}, exists=np.ones(9, bool))
    assert ranking(heavy).tolist() != ranking(evaluation).tolist()


def test_rows_tell_what_cannot_be_trusted(evaluation: Evaluation) -> None:
    facts = np.zeros((30, 3, N_FACTORS))
    facts[2, :, MISMATCH] = 0.02
    facts[3, :, PRICE] = 1
    doubted = replace(evaluation.snapshot, distrust=facts, trust=np.empty((0, 0)))
    found = evaluate(doubted, rules=ScanRules(threshold=0.55), exists=np.ones(9, bool))
    shown = {r[1]: dict(zip(FIELDS, r, strict=True)) for r in rows(found, ranking(found))}
    assert shown["S2/USDT"]["trust"] == 0.9
    assert shown["S2/USDT"]["doubt"] == "stream and exchange disagree on 2 % of the bars"
    assert shown["S3/USDT"]["trust"] == 0
    assert STOPPED["trust"] in shown["S3/USDT"]["stopped"]
    others = [r for s, r in shown.items() if s not in ("S2/USDT", "S3/USDT")]
    assert {(r["trust"], r["doubt"]) for r in others} == {(1.0, "")}
