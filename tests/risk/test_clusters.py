import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import drawn
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from opportunity.risk.clusters import clusters_of


@given(st.integers(2, 12), st.integers(0, 500), st.floats(-0.2, 0.9))
def test_clusters_are_those_of_scipy(n, seed, least):
    matrix = np.corrcoef(drawn(25, n, seed).T)
    condensed = squareform(np.round(1 - matrix, 15), checks=False)
    labels = fcluster(linkage(condensed, "average"), 1 - least, "distance")
    wanted = {tuple(np.flatnonzero(labels == label)) for label in set(labels)}
    assert set(clusters_of(matrix, least)) == wanted


@given(st.permutations(range(7)))
def test_order_only_renames(order):
    matrix = np.corrcoef(drawn(60, 7, 3).T)
    rows = np.array(order)
    found = clusters_of(matrix[np.ix_(rows, rows)], 0.5)
    named = {tuple(sorted(int(rows[i]) for i in group)) for group in found}
    assert named == set(clusters_of(matrix, 0.5))


def test_blocks_are_found_and_listed_by_their_first_member():
    matrix = np.full((4, 4), 0.1)
    for pair in ((0, 2), (1, 3)):
        matrix[np.ix_(pair, pair)] = 0.9
    np.fill_diagonal(matrix, 1.0)
    assert clusters_of(matrix, 0.7) == ((0, 2), (1, 3))
    assert clusters_of(matrix, 0.0) == ((0, 1, 2, 3),)
    assert clusters_of(matrix, 0.95) == ((0,), (1,), (2,), (3,))


def test_the_limit_itself_joins():
    assert clusters_of(np.array([[1, 0.5], [0.5, 1]]), 0.5) == ((0, 1),)


def test_what_is_unknown_stays_alone():
    matrix = np.array([[1, np.nan, 0.9], [np.nan, 1, np.nan], [0.9, np.nan, 1]])
    assert clusters_of(matrix, -1.0) == ((0, 2), (1,))


@pytest.mark.parametrize("n", [0, 1])
def test_few_assets(n):
    assert clusters_of(np.eye(n)) == ((0,),) * n


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="square"):
        clusters_of(np.ones((2, 3)))
    with pytest.raises(ValueError, match="least correlation"):
        clusters_of(np.eye(2), 1.1)
