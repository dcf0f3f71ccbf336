"""Optuna, asked and told in batches, its journal in our database.

Why a journal of our own: Optuna's `RDBStorage` keeps its schema version in a table named
`alembic_version`, as ours does, so each refuses the file of the other; it commits every single
parameter; and its documentation advises against SQLite for work in parallel. Its journal in a
file cannot be read any more once a process has died while writing a line. Optuna lets anybody
keep a journal (`BaseJournalBackend`): ours is written once a batch, in one transaction, after the
batch was judged. A search that is killed therefore goes on as if it had never stopped: what it
had only asked is not there, and every batch draws from a seed of its own.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.candidates import from_cube
from opportunity.backtest.extras import needed
from opportunity.backtest.judge import CancelledError, Progress, Stop
from opportunity.errors import ConflictError
from opportunity.feeds.clock import wall_ms
from opportunity.market.bars import FloatArray

Sampler = Literal["tpe", "cmaes"]

WORST: Final = -1e9
"""Told of vectors without a value: the optimiser is to look elsewhere, not to forget them."""

BATCH: Final = 32
"""Vectors asked for before any of them is told: the sweep takes that many at little more than the
cost of one."""

_STARTUP: Final = 20  # random ones before an estimate is worth anything
_STUDY: Final = "weights"
_TERMS: Final = "terms"


class StudyStore(Protocol):
    """Keeps the logs of studies; `storage.studies.StudyRepository` in the product."""

    def read(self, name: str, start: int = 0) -> list[dict[str, Any]]:
        """Return the entries of a study from number `start` on."""

    def append(
        self, name: str, start: int, entries: Sequence[dict[str, Any]], at: int
    ) -> None:
        """Add entries numbered from `start` on, all of them or none."""


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """How a study is run.

    Parameters
    ----------
    sampler : str
        ``tpe``, a tree of Parzen estimators, or ``cmaes``, covariance matrix adaptation.
    n : int
        Vectors in all, those of earlier runs too.
    seed : int
    terms : str
        Digest of data, judge and aim: a study goes on under these only.
    name : str
        In the store; empty: it is not kept.
    """

    sampler: Sampler
    n: int
    seed: int
    terms: str
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Studied:
    """What a study knows in the end.

    Parameters
    ----------
    matrix : ndarray, shape (n, n_detectors)
    values : ndarray, shape (n,)
        NaN where there is none.
    n_before : int
        Vectors of earlier runs, the first ones.
    """

    matrix: FloatArray
    values: FloatArray
    n_before: int


def run_study(
    plan: StudyPlan, active: NDArray[np.bool_], judged: Callable[[FloatArray], FloatArray],
    store: StudyStore | None = None, progress: Progress | None = None, stop: Stop | None = None,
) -> Studied:
    """Ask, judge and tell until the study has its vectors.

    Parameters
    ----------
    plan : StudyPlan
    active : ndarray of bool, shape (n_detectors,)
        Detectors that are searched.
    judged : callable
        Takes vectors (k, n_detectors) and gives their values, NaN for none.
    store : StudyStore, optional
        Where a named study is kept.
    progress, stop : callable, optional

    Raises
    ------
    ConflictError
        If the study began under other terms, or somebody else goes on with it.
    CancelledError
        If `stop` said so; batches that were told are kept.

    Notes
    -----
    Sources: Bergstra, Bardenet, Bengio, Kégl, "Algorithms for hyper-parameter optimization",
    2011; Hansen, Ostermeier, "Completely derandomized self-adaptation in evolution strategies",
    2001.
    """
    study, journal = _open(plan, int(active.sum()), store)
    from optuna.distributions import FloatDistribution
    from optuna.trial import TrialState

    space = {f"x{i}": FloatDistribution(0.0, 1.0) for i in range(int(active.sum()))}
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    points = [[t.params[x] for x in space] for t in done]
    values = [t.value for t in done]
    n_before = len(done)
    while len(values) < plan.n:
        if stop is not None and stop():
            raise CancelledError(f"search was cancelled after {len(values)} vectors")
        study.sampler = _sampler(plan, len(values))
        asked = [study.ask(space) for _ in range(min(BATCH, plan.n - len(values)))]
        fresh = [[t.params[x] for x in space] for t in asked]
        found = judged(from_cube(np.array(fresh), active))
        for trial, value in zip(asked, found, strict=True):
            values.append(float(value) if np.isfinite(value) else WORST)
            study.tell(trial, values[-1])
        points += fresh
        if journal is not None:
            journal.keep(wall_ms())
        if progress is not None:
            progress(len(values), plan.n)
    told = np.array(values)
    return Studied(
        from_cube(np.array(points), active), np.where(told == WORST, np.nan, told), n_before
    )


def _open(plan: StudyPlan, k: int, store: StudyStore | None) -> tuple[Any, Any]:
    """Open or make the study; the journal is None where nothing is kept."""
    needed("optuna", *(("cmaes",) if plan.sampler == "cmaes" else ()))
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = None
    storage: Any = optuna.storages.InMemoryStorage()
    if plan.name and store is not None:
        journal = _journal(plan.name, store)
        storage = optuna.storages.JournalStorage(journal)
    study = optuna.create_study(
        storage=storage, study_name=_STUDY, direction="maximize", load_if_exists=True
    )
    terms = f"{plan.sampler} {plan.seed} {k} {plan.terms}"
    if _TERMS not in study.user_attrs:
        study.set_user_attr(_TERMS, terms)
        study.enqueue_trial({f"x{i}": 0.5 for i in range(k)})  # equal weights come first
    elif study.user_attrs[_TERMS] != terms:
        raise ConflictError(
            f"study {plan.name!r} must go on with the data, terms, sampler and seed that it began "
            "with, was given others: give it another name"
        )
    return study, journal


def _journal(name: str, store: StudyStore) -> Any:
    from optuna.storages.journal import BaseJournalBackend

    class Journal(BaseJournalBackend):
        """Holds the entries of a study and keeps the new ones when told to."""

        def __init__(self) -> None:
            self._entries = store.read(name)
            self._n_kept = len(self._entries)

        def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
            return iter(self._entries[log_number_from:])

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            self._entries += json.loads(json.dumps(logs))  # as it will be read again

        def keep(self, at: int) -> None:
            store.append(name, self._n_kept, self._entries[self._n_kept :], at)
            self._n_kept = len(self._entries)

    return Journal()


def _sampler(plan: StudyPlan, n_done: int) -> Any:
    """Return a sampler whose draws depend on the seed and on how far the study is alone."""
    import optuna

    seed = int(np.random.SeedSequence([plan.seed, n_done]).generate_state(1)[0])
    if plan.sampler == "cmaes":
        return optuna.samplers.CmaEsSampler(seed=seed, popsize=BATCH)
    return optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=_STARTUP, multivariate=True, constant_liar=True
    )
