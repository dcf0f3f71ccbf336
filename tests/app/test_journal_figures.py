from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ideas import HOUR, IDEA, MARKET, START, ideas, keep
from scipy.stats import spearmanr
from sklearn.metrics import brier_score_loss, roc_auc_score

from app import journal_figures as module
from app.journal_figures import SCORE, by_name, detectors, gates, reliability_of, verdict
from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.aftermath import BARRIERS, r_of
from opportunity.scoring.reliability import reliability
from opportunity.storage.database import open_database
from opportunity.storage.outcomes import Outcome, OutcomeRepository
from opportunity.storage.samples import SampleRepository, Samples

N = 200


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> tuple[Samples, dict]:
    """Two symbols, 200 hours, judged by a die that leans on the net."""
    folder: Path = tmp_path_factory.mktemp("figures")
    engine = open_database(f"sqlite:///{folder / 'x.sqlite'}")
    stops = [(), ("min_score",), ("min_score", "direction"), ("max_positions",), ()]
    actions = ["entered", "filtered", "filtered", "refused", "held"]
    keep(engine, [
        c._replace(action=actions[i % 5], stopped_by=stops[i % 5])
        for i, c in enumerate(ideas(N))
    ])  # fmt: skip
    outcomes = OutcomeRepository(engine, MARKET)
    rng = np.random.default_rng(2)
    due = [d for d in outcomes.due(START + 900 * HOUR, 0, 1_000) if d.horizon == 24]
    due = due[:-20]  # the newest are open
    for one in due:
        barrier = BARRIERS[rng.integers(4)]
        move = float(rng.standard_normal())
        wins = {"up": one.side > 0, "down": one.side < 0, "both": False, "time": move > 0}
        outcomes.add([
            Outcome(one.id, 24, one.time + HOUR, barrier, int(wins[barrier]), move / 100, move,
                    max(move, 0.0), min(move, 0.0))
        ])  # fmt: skip
    store = SampleRepository(engine, MARKET)
    samples, counts = store.samples(24), store.counts()
    engine.dispose()
    return samples, counts


def test_a_verdict_is_the_mean_of_its_rows(found) -> None:
    samples, _ = found
    rows = samples.symbols == "ETH/USDT"
    told = verdict(samples, rows, "ETH/USDT")
    r = r_of(samples.barrier, samples.right, samples.move_atr)
    assert told.hit_rate.n == np.count_nonzero(rows)
    assert told.hit_rate.value == pytest.approx(samples.right[rows].mean())
    assert told.mean_r.value == pytest.approx(r[rows].mean())
    assert told.move_atr.value == pytest.approx(samples.move_atr[rows].mean())
    assert [v.name for v in by_name(samples, samples.symbols)] == ["BTC/USDT", "ETH/USDT"]
    assert sum(v.hit_rate.n for v in by_name(samples, samples.actions)) == len(samples)


def test_reliability_is_the_one_of_the_library(found, monkeypatch) -> None:
    samples, _ = found
    monkeypatch.setattr(module, "LEAST_BLOCKS", 3)
    told = reliability_of(samples, samples.success)
    assert told.brier == pytest.approx(brier_score_loss(samples.right, samples.success))
    assert told.auc == pytest.approx(roc_auc_score(samples.right, samples.success))
    assert told.brier == pytest.approx(
        told.miscalibration - told.resolution + told.uncertainty + told.within_variance
        - told.within_covariance
    )
    block = reliability(samples.success, samples.right, samples.time, block=48, n_draws=300)
    assert told.intervals == block.intervals
    assert np.isfinite(told.low).all()
    few = np.where(np.arange(len(samples)) < 19, samples.success, np.nan)
    assert reliability_of(samples, few) is None


def test_reliability_of_too_little_time_has_no_bounds(found) -> None:
    samples, _ = found
    assert np.unique(samples.time).size < 5 * 48
    told = reliability_of(samples, samples.success)
    assert np.isfinite(told.observed).all()
    assert np.isnan([*told.low, *told.high, told.ece_chance]).all()
    assert np.isnan(list(told.intervals.values())).all()
    assert told.brier == pytest.approx(brier_score_loss(samples.right, samples.success))


def test_a_detector_is_judged_by_its_own_side(found) -> None:
    samples, _ = found
    told = {one.verdict.name: one for one in detectors(samples)}
    assert tuple(told) == (*DETECTOR_NAMES, SCORE)
    i = DETECTOR_NAMES.index("smc")
    right = []
    for k in range(len(samples)):
        mine = np.sign(samples.contributions[k, i])
        barrier, side = BARRIERS[samples.barrier[k]], samples.side[k]
        won = {"up": 1, "down": -1, "both": 0}.get(
            barrier, int(np.sign(side * samples.move_atr[k]))
        )
        right.append(mine == won)
    one = told["smc"]
    assert one.verdict.hit_rate.value == pytest.approx(np.mean(right))
    assert one.agreed == pytest.approx(
        np.mean(np.sign(samples.contributions[:, i]) == samples.side)
    )
    moved = samples.side * samples.move_atr
    wanted = spearmanr(samples.contributions[:, i], moved).statistic
    assert one.information == pytest.approx(wanted, abs=1e-12)
    score = told[SCORE]  # its side is the candidate's
    assert score.agreed == 1.0
    assert score.verdict.hit_rate.value == pytest.approx(samples.right.mean())
    r = r_of(samples.barrier, samples.right, samples.move_atr)
    assert score.verdict.mean_r.value == pytest.approx(r.mean())


def test_a_detector_that_was_silent_or_missing_is_not_counted(found) -> None:
    samples, _ = found
    parts = samples.contributions.copy()
    parts[:, 0], parts[:150, 1], parts[150:, 1] = np.nan, 0.0, np.nan
    first, second, *_ = detectors(replace(samples, contributions=parts))
    for one in (first, second):
        assert one.verdict.hit_rate.n == 0
        assert np.isnan([one.agreed, one.information, one.verdict.mean_r.value]).all()


def test_gates_say_what_each_rule_stopped_and_cost(found) -> None:
    samples, counts = found
    told = {gate.name: gate for gate in gates(samples, counts)}
    assert set(told) == {
        "min_score", "direction", "max_positions", "entered", "held"
    }
    score = told["min_score"]
    assert (score.kind, score.n, score.n_alone) == ("rule", 160, 80)
    assert (told["direction"].n, told["direction"].n_alone) == (80, 0)
    assert told["max_positions"].kind == "limit"
    assert told["entered"].n == told["entered"].n_alone == 80
    alone = np.array([names == ("min_score",) for names in samples.stopped_by])
    either = np.array(["min_score" in names for names in samples.stopped_by])
    assert score.alone.hit_rate.n == np.count_nonzero(alone)
    assert score.alone.hit_rate.value == pytest.approx(samples.right[alone].mean())
    assert score.all.hit_rate.value == pytest.approx(samples.right[either].mean())
    assert np.isnan(told["direction"].alone.hit_rate.value)
    assert [g.n for g in gates(samples, counts)] == sorted(g.n for g in told.values())[::-1]


def test_what_an_agent_that_is_off_did_not_do_is_no_rules_cost(found) -> None:
    samples, _ = found
    off = replace(samples, actions=np.full(len(samples), "off"))
    told = gates(off, {("off", ("min_score",)): 7})
    assert [(g.name, g.n) for g in told] == [("off", 7)]
    assert told[0].all.hit_rate.n == len(samples)
    assert IDEA.action != "off"
