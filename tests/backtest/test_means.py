import pytest

from opportunity.backtest import dask_cluster
from opportunity.backtest.cluster import Threads
from opportunity.backtest.dask_cluster import ClusterError
from opportunity.backtest.means import Means, means_of
from opportunity.backtest.trials import MemoryTrials
from opportunity.storage.studies import StudyRepository
from opportunity.storage.trials import TrialRepository


def test_what_is_given_is_used_and_left_open(tmp_path):
    trials = MemoryTrials()
    with means_of(trials=trials, threads=1) as means:
        assert means.trials is trials
        assert means.studies is None
        assert isinstance(means.at, Threads)


def test_the_database_of_the_settings_counts_and_keeps_studies(monkeypatch, tmp_path):
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path))
    with means_of() as means:
        assert isinstance(means.trials, TrialRepository)
        assert isinstance(means.studies, StudyRepository)
        means.studies.append("s", 0, [{"a": 1}], 1)
    with means_of() as means:
        assert means.studies.read("s") == [{"a": 1}]


def test_a_cluster_that_is_not_there_leaves_nothing_open(monkeypatch, tmp_path):
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path))
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 0.5)
    with pytest.raises(ClusterError), means_of(cluster="tcp://127.0.0.1:9"):
        raise AssertionError


def test_parts_of_a_larger_work_are_quiet():
    assert Means(progress=print).quietly().progress is None
