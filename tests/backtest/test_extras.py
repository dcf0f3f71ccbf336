import sys

import numpy as np
import pytest

from opportunity.backtest.candidates import N
from opportunity.backtest.dask_cluster import Cluster
from opportunity.backtest.extras import ExtraError, needed
from opportunity.backtest.study import StudyPlan, run_study


def test_what_is_there_is_imported():
    needed("json", "optuna")


@pytest.mark.parametrize(("sampler", "gone"), [("tpe", "optuna"), ("cmaes", "cmaes")])
def test_a_study_without_its_package_says_how_to_get_it(monkeypatch, sampler, gone):
    monkeypatch.setitem(sys.modules, gone, None)
    with pytest.raises(ExtraError, match=rf"{gone} must be installed .*opportunity\[research\]"):
        run_study(StudyPlan(sampler, 4, 0, "t"), np.ones(N, np.bool_), lambda matrix: matrix[:, 0])


def test_a_cluster_without_its_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExtraError, match="distributed must be installed"):
        Cluster("tcp://127.0.0.1:9")
