import math
from dataclasses import replace

import pytest
from walks import START, walk_bars

from app.promote import (
    PEERS,
    Order,
    RefusedError,
    admit,
    examine,
    guard_rows,
    put_to_use,
    wider,
)
from opportunity.backtest.guards import Guard, Guards
from opportunity.backtest.history import prepare
from opportunity.backtest.trials import MemoryTrials
from opportunity.errors import ConflictError
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.judged import Judged
from opportunity.storage.promotions import LIVE, PromotionRepository
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SETUP = TradeSetup(TradeRecord(min_score=0.5, min_confidence=0.0))


@pytest.fixture(scope="module")
def examined():
    history = prepare(walk_bars(), timeframes=["1h"], start=START)
    told = []
    found = examine(history, PRESETS["aggressive"], SETUP, MemoryTrials(),
                    lambda done, total: told.append((done, total)))  # fmt: skip
    assert told == [(i, PEERS + 2) for i in range(PEERS + 3)]
    assert found.dataset == history.digest
    return found


@pytest.fixture
def kept(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield PromotionRepository(engine)
    engine.dispose()


def test_a_random_walk_does_not_pass(examined, kept):
    assert {g.name for g in examined.guards} >= {"deflated_sharpe", "pbo", "equal_weights"}
    assert examined.guards["pbo"].value == examined.guards["pbo"].value  # it was measured
    with pytest.raises(RefusedError) as caught:
        admit(examined, kept, 5, by="ann")
    assert str(caught.value) == examined.guards.refusal != ""
    assert kept.read() == ()


def test_a_forced_one_is_written_down(examined, kept):
    with pytest.raises(ValueError, match="why must give"):
        admit(examined, kept, 5, by="ann", force=True)
    done = admit(examined, kept, 5, by="ann", why="to see", force=True, target="mine")
    assert kept.read() == (done,)
    assert (done.at, done.forced, done.target) == (5, True, "mine")
    assert done.dataset == examined.dataset


def test_force_where_nothing_fails_is_not_recorded_as_forced(examined, kept):
    fine = replace(examined, guards=Guards((Guard("a", 1.0, 0.5, True, "yes"),)))
    done = admit(fine, kept, 5, by="ann", force=True)
    assert (done.forced, done.target) == (False, LIVE)


def test_what_was_not_measured_is_null():
    guards = Guards((Guard("a", float("nan"), 0.5, False, "no"),))
    assert guard_rows(guards) == [
        {"name": "a", "value": None, "threshold": 0.5, "passed": False, "text": "no"}
    ]


def test_asking_counts_as_a_trial_once_for_each_set_of_weights():
    history, trials = prepare(walk_bars(), timeframes=["1h"], start=START), MemoryTrials()
    asked = ["aggressive", "balanced", "aggressive"]
    found = [examine(history, PRESETS[name], SETUP, trials).n_trials for name in asked]
    assert found == [1, 2, 2]


def test_trials_that_were_far_apart_make_the_deflated_sharpe_stricter():
    history, weights = prepare(walk_bars(), timeframes=["1h"], start=START), PRESETS["balanced"]
    found = []
    for squares in (1e-9, 1.0):
        trials = MemoryTrials()
        trials.add(Judged(history.digest, "k", "sweep", 1, 500, 240, 500, 0.1, 0.0, squares))
        found.append(examine(history, weights, SETUP, trials).guards["deflated_sharpe"])
    near, apart = found
    assert apart.value < near.value  # the trials that were made
    # Those that were nearly the same do not make luck small: the peers are still apart.
    assert "above the 0.0000" not in near.text


def test_the_widest_known_variance_counts():
    nan = float("nan")
    assert wider([nan, 0.2, 0.1]) == 0.2
    assert math.isnan(wider([nan]))


class Controls:
    weights_version = 7

    def __init__(self):
        self.done = []

    async def apply_weights(self, values, by, expected=None):
        self.done.append(("live", dict(values), by, expected))
        return 8

    async def save_preset(self, name, values, by):
        self.done.append((name, dict(values), by))


async def test_what_is_put_to_use_is_written_down_and_applied(examined, kept):
    controls = Controls()
    order = Order(by="ann", why="to see", force=True, expected=7)
    done, version = await put_to_use(examined, kept, 5, controls, order)
    assert version == 8
    assert kept.read() == (done,)
    assert done.by == "ann"
    assert controls.done == [("live", examined.weights, "ann", 7)]
    order = Order(by="ann", named="api", why="x", force=True, preset="mine")
    done, version = await put_to_use(examined, kept, 6, controls, order)
    assert (done.target, done.by, version) == ("mine", "api", None)
    assert controls.done[1] == ("mine", examined.weights, "ann")


async def test_weights_that_changed_meanwhile_are_not_replaced(examined, kept):
    controls = Controls()
    with pytest.raises(ConflictError, match="must be 6, was 7"):
        await put_to_use(examined, kept, 5, controls, Order("ann", why="x", force=True, expected=6))
    with pytest.raises(RefusedError):
        await put_to_use(examined, kept, 5, controls, Order("ann"))
    assert (kept.read(), controls.done) == ((), [])
