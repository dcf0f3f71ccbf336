import numpy as np
import pytest

from opportunity.backtest.landscape import NEIGHBOURS, landscape

NAMES = ("a", "b", "c")


def drawn(n=4_000, seed=3):
    return np.random.default_rng(seed).dirichlet(np.ones(3), n)


def test_cells_hold_every_vector_once_and_their_means_join_to_the_mean() -> None:
    matrix = drawn()
    values = matrix[:, 0] - matrix[:, 2]
    found = landscape(matrix, values, NAMES)
    assert found.names == NAMES
    assert found.pairs == ((0, 1), (0, 2), (1, 2))
    for k in range(3):
        assert found.count[k].sum() == len(values)
        known = found.count[k] > 0
        joined = (found.mean[k][known] * found.count[k][known]).sum() / len(values)
        assert joined == pytest.approx(values.mean())
        assert np.nanmax(found.best[k]) == values.max()
        assert np.isnan(found.mean[k][~known]).all()


def test_a_cell_is_where_its_edges_say() -> None:
    matrix = drawn(500)
    values = np.arange(500.0)
    found = landscape(matrix, values, NAMES)
    row, column = 2, 3
    inside = np.ones(500, bool)
    for weight, edge, at in ((0, 0, row), (1, 1, column)):
        low, high = found.edges[edge, at], found.edges[edge, at + 1]
        inside &= (matrix[:, weight] >= low) & (matrix[:, weight] < high)
    assert inside.sum() == found.count[0, row, column] > 0
    assert values[inside].mean() == pytest.approx(found.mean[0, row, column])
    assert values[inside].max() == found.best[0, row, column]


def test_a_peak_stands_alone_and_a_plateau_does_not() -> None:
    matrix = drawn(1_000)
    flat = np.zeros(1_000)
    flat[17] = 5.0
    assert landscape(matrix, flat, NAMES).around == 0.0
    slope = matrix[:, 0]
    found = landscape(matrix, slope, NAMES)
    assert found.around > 0.8 * slope.max()
    assert found.median == np.median(slope)
    assert NEIGHBOURS < 1_000


def test_what_does_not_differ_is_left_out_and_so_is_what_has_no_value() -> None:
    matrix = np.column_stack([drawn()[:, :2], np.zeros(4_000)])
    values = np.where(np.arange(4_000) % 2, np.nan, 1.0)
    found = landscape(matrix, values, NAMES)
    assert found.names == ("a", "b")
    assert found.count.sum() == 2_000


@pytest.mark.parametrize("n", [0, 1, 3])
def test_little_or_nothing_has_no_landscape_but_no_error_either(n) -> None:
    found = landscape(np.ones((n, 3)) / 3, np.full(n, np.nan), NAMES)
    assert (found.names, found.pairs, found.mean.shape) == ((), (), (0, 8, 8))
    assert np.isnan(found.around)


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match="matrix must have the shape"):
        landscape(np.ones((2, 3)), np.ones(4), NAMES)
