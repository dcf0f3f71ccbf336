from pathlib import Path

import numpy as np
import pytest
from ideas import HOUR, IDEA, MARKET, START, keep

from app.journal_alarms import NAMES, Alarms, coefficients
from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.averages import rank_correlation
from opportunity.scoring.decay import REFERENCE
from opportunity.scoring.trial import LEAST_CELLS, LEAST_OUTCOMES
from opportunity.storage.database import open_database
from opportunity.storage.outcomes import BOOK, Outcome, OutcomeRepository
from opportunity.storage.samples import SampleRepository
from opportunity.storage.trading_tables import candidate

WINDOW = 96
FALL = 30
"""Window from which on the smc detector foretells nothing."""


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


def alarms(engine, **given) -> Alarms:
    return Alarms(SampleRepository(engine, MARKET), "1h", MARKET, "simulated", **given)


def write(engine, n_windows: int, success: float = 0.5, hit_rate: float = 0.5, every: int = 3):
    """Judged candidates: smc knows something until it falls, harmonic always does."""
    rng = np.random.default_rng(4)
    hours = np.arange(0, n_windows * WINDOW, every)
    move = rng.standard_normal(hours.size)
    early = hours < FALL * WINDOW
    smc = np.where(early, 0.7 * move, -0.5 * move) + 0.7 * rng.standard_normal(hours.size)
    harmonic = 0.5 * move + rng.standard_normal(hours.size)
    first = START - START % (WINDOW * HOUR) + HOUR
    keep(engine, [
        IDEA._replace(time=int(first + h * HOUR), success=success,
                      contributions={"smc": float(a), "harmonic": float(b)})
        for h, a, b in zip(hours, smc, harmonic, strict=True)
    ])  # fmt: skip
    right = rng.random(hours.size) < hit_rate
    with engine.connect() as connection:
        wanted = candidate.select().where(candidate.c.book == BOOK).order_by(candidate.c.time)
        ids = [row.id for row in connection.execute(wanted)]
    OutcomeRepository(engine, MARKET).add([
        Outcome(i, 24, int(first + h * HOUR), "time", int(r), 0.0, float(m), 0.0, 0.0)
        for i, h, r, m in zip(ids, hours, right, move, strict=True)
    ])  # fmt: skip
    return int(first + hours[-1] * HOUR)


def end(last: int) -> int:
    return last + 200 * HOUR


def test_a_detector_that_fades_is_told_once_and_others_are_not(engine) -> None:
    last = write(engine, FALL + 12)
    watched = alarms(engine)
    told: list = []
    first = START - START % (WINDOW * HOUR)
    for window in range(1, FALL + 13):  # as time goes by
        told += watched.examine(first + (window * WINDOW + 30) * HOUR).events
    names = [(event.body["what"], event.body["detector"]) for event in told]
    assert set(names) == {("decay", "smc")}
    keys = {event.key for event in told}
    assert len(keys) == 1
    (at,) = {event.body["start"] for event in told}
    assert FALL <= (at - first) // (WINDOW * HOUR) <= FALL + 8
    assert told[0].kind == "alert"
    assert told[0].body["book"] == "paper"
    assert "smc foretells less" in told[0].body["text"]
    decay = watched.decays["smc"]
    assert decay.start[decay.alarm].tolist() == [at]
    assert decay.mean > -0.2
    assert not watched.decays["harmonic"].alarm.any()
    fresh = alarms(engine)  # a restart reads the same again
    fresh.examine(end(last))
    np.testing.assert_array_equal(fresh.decays["smc"].fall[: decay.fall.size], decay.fall)


def test_windows_are_read_once_and_only_when_all_is_known(engine) -> None:
    write(engine, 3)
    watched, asked = alarms(engine), []
    read = watched._samples.samples
    watched._samples.samples = lambda *a: asked.append(a) or read(*a)
    first = START - START % (WINDOW * HOUR)
    watched.examine(first + (WINDOW + 25) * HOUR)
    assert asked == []
    watched.examine(first + (WINDOW + 26) * HOUR)
    assert [a[1] for a in asked] == [first]
    watched.examine(first + (3 * WINDOW + 26) * HOUR)
    assert [a[1] for a in asked] == [first + i * WINDOW * HOUR for i in range(3)]
    assert set(watched.decays) == set(NAMES)
    assert watched.decays["smc"].start.size == 3 < REFERENCE
    assert watched.decays["elliott"].start.size == 0


def test_coefficients_are_of_the_decision_timeframe(engine) -> None:
    last = write(engine, 1, every=1)
    keep(engine, [IDEA._replace(time=last, symbol="X/USDT", timeframe="4h")])
    found = SampleRepository(engine, MARKET).samples(24)
    told = dict(zip(NAMES, coefficients(found, "1h"), strict=True))
    smc = found.contributions[:, DETECTOR_NAMES.index("smc")]
    assert told["smc"] == (96, pytest.approx(rank_correlation(smc, found.move_atr)))
    assert told["score"][0] == 96
    assert np.isnan(told["score"][1])  # the net never varies here
    assert told["elliott"] == (0, pytest.approx(np.nan, nan_ok=True))
    assert coefficients(found, "4h")[0][0] == 0


def test_stated_success_that_does_not_hold_is_told_and_tried_anew(engine) -> None:
    last = write(engine, 20, success=0.75, hit_rate=0.5, every=1)
    watched = alarms(engine)
    told = watched.examine(end(last))
    assert told.off
    event = told.events[-1]
    assert (event.body["what"], event.key) == ("calibration", f"calibration:{MARKET}:0")
    assert event.body["shift"] == pytest.approx(-0.25, abs=0.06)
    assert "learned anew" in event.body["text"]
    watched.acquit(last - 100 * HOUR)
    again = watched.examine(end(last))
    assert (again.off, watched.trial.n < LEAST_OUTCOMES) == (False, True)
    assert watched.trial.ends.size < LEAST_CELLS


def test_stated_success_that_holds_is_left_alone(engine) -> None:
    last = write(engine, 20, success=0.5, hit_rate=0.5, every=1)
    watched = alarms(engine)
    told = watched.examine(end(last))
    assert not told.off
    assert [e for e in told.events if e.body["what"] == "calibration"] == []
    assert watched.trial.n >= LEAST_OUTCOMES
    cell = 48 * HOUR
    watched.examine(end(last) // cell * cell)
    seen = watched.trial
    watched.examine(end(last) // cell * cell + cell - 1)
    assert watched.trial is seen  # once in a cell of time


def test_a_trial_of_very_many_outcomes_begins_anew(engine, monkeypatch) -> None:
    monkeypatch.setattr("app.journal_alarms.MOST_STATED", 50)
    last = write(engine, 2)
    watched = alarms(engine, since=5)
    watched.examine(end(last))
    assert watched.since > START
    assert watched.trial.n <= 50


def test_nothing_kept_nothing_told(engine) -> None:
    watched = alarms(engine)
    told = watched.examine(end(START))
    assert (told.events, told.off, watched.decays) == ((), False, {})
