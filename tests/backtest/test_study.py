import numpy as np
import pytest

from opportunity.backtest.judge import CancelledError
from opportunity.backtest.study import BATCH, StudyPlan, run_study
from opportunity.errors import ConflictError
from opportunity.storage.database import open_database
from opportunity.storage.studies import StudyRepository

ALL = np.ones(9, np.bool_)
TARGET = np.array([0.4, 0.2, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05])
N = 2 * BATCH + 8

samplers = pytest.mark.parametrize("sampler", ["tpe", "cmaes"])


def near(matrix: np.ndarray) -> np.ndarray:
    return -np.abs(matrix - TARGET).sum(axis=1)


class Killed(Exception):
    """What ends a process in the middle of a batch."""


@pytest.fixture
def store(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield StudyRepository(engine)
    engine.dispose()


def plan(sampler: str, n: int = N, **changes) -> StudyPlan:
    return StudyPlan(**{"sampler": sampler, "n": n, "seed": 4, "terms": "t", "name": "s"} | changes)


@samplers
def test_optimisers_beat_chance_and_begin_with_equal_weights(sampler):
    done = run_study(plan(sampler, 5 * BATCH), ALL, near)
    assert done.matrix.shape == (5 * BATCH, 9)
    np.testing.assert_allclose(done.matrix.sum(axis=1), 1.0)
    np.testing.assert_allclose(done.matrix[0], 1 / 9)
    np.testing.assert_array_equal(done.values, near(done.matrix))
    drawn = np.random.default_rng(1).dirichlet(np.ones(9), 5 * BATCH)
    assert done.values.max() > near(drawn).max()


@samplers
def test_a_killed_study_goes_on_as_if_it_had_never_stopped(sampler, store):
    calls = []

    def dying(matrix):
        calls.append(len(matrix))
        if len(calls) == 2:
            raise Killed
        return near(matrix)

    whole = run_study(plan(sampler, name="whole"), ALL, near, store)
    with pytest.raises(Killed):
        run_study(plan(sampler), ALL, dying, store)
    resumed = run_study(plan(sampler), ALL, near, store)
    assert resumed.n_before == BATCH
    np.testing.assert_array_equal(resumed.matrix, whole.matrix)
    np.testing.assert_array_equal(resumed.values, whole.values)


def test_a_study_that_is_done_judges_nothing_again(store):
    first = run_study(plan("tpe"), ALL, near, store)

    def never(matrix):
        raise AssertionError

    again = run_study(plan("tpe"), ALL, never, store)
    assert again.n_before == N
    np.testing.assert_array_equal(again.matrix, first.matrix)
    longer = run_study(plan("tpe", N + 5), ALL, near, store)
    assert (longer.n_before, len(longer.values)) == (N, N + 5)
    np.testing.assert_array_equal(longer.matrix[:N], first.matrix)


def test_runs_that_follow_each_other_draw_anew(store):
    run_study(plan("tpe", 5), ALL, near, store)
    matrix = run_study(plan("tpe", 12), ALL, near, store).matrix
    assert len(np.unique(matrix, axis=0)) == 12


def test_terms_are_those_it_began_with(store):
    run_study(plan("tpe", 5), ALL, near, store)
    for other in ({"terms": "u"}, {"seed": 5}, {"sampler": "cmaes"}):
        with pytest.raises(ConflictError, match="give it another name"):
            run_study(plan(**{"sampler": "tpe", "n": 5} | other), ALL, near, store)
    with pytest.raises(ConflictError):
        run_study(plan("tpe", 5), np.arange(9) < 6, near, store)


def test_two_at_once_are_told(store):
    def meanwhile(matrix):
        run_study(plan("tpe", 5), ALL, near, store)
        return near(matrix)

    with pytest.raises(ConflictError, match="one at a time"):
        run_study(plan("tpe", 5), ALL, meanwhile, store)
    assert len(run_study(plan("tpe", 5), ALL, near, store).values) == 5


def test_vectors_without_a_value_do_not_stop_a_study():
    done = run_study(plan("cmaes", 40), ALL, lambda m: np.where(m[:, 0] > 0.1, np.nan, near(m)))
    assert 0 < np.isnan(done.values).sum() < 40


def test_progress_and_stop(store):
    told = []
    with pytest.raises(CancelledError, match=f"after {BATCH} vectors"):
        run_study(
            plan("tpe"), ALL, near, store, lambda *done: told.append(done), lambda: bool(told)
        )
    assert told == [(BATCH, N)]
    assert run_study(plan("tpe"), ALL, near, store).n_before == BATCH
