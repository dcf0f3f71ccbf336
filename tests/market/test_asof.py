import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.market.asof import AsOf


def test_newest_row_known_at_each_instant():
    series = AsOf(2)
    series.append(10, [1.0, 2.0])
    series.append([20, 20, 30], [[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    values, known = series.at([[9, 10, 19], [20, 29, 99]])
    np.testing.assert_array_equal(known, [[-1, 10, 10], [20, 20, 30]])
    np.testing.assert_array_equal(
        values, [[[np.nan, np.nan], [1, 2], [1, 2]], [[5, 6], [5, 6], [7, 8]]]
    )


@given(
    st.lists(st.integers(0, 50), max_size=40), st.lists(st.integers(-1, 55), max_size=20),
    st.integers(0, 55),
)
def test_equals_the_join_of_pandas_also_after_forgetting(known, asked, cut):
    known, asked = sorted(known), sorted(asked)
    series = AsOf(1)
    for i, t in enumerate(known):
        series.append(t, [float(i)])
    left = pd.DataFrame({"t": np.array(asked, dtype=np.int64)})
    right = pd.DataFrame({"t": np.array(known, dtype=np.int64), "v": np.arange(float(len(known)))})
    expected = pd.merge_asof(left, right, on="t")["v"].to_numpy(dtype=np.float64)
    np.testing.assert_array_equal(series.at(asked)[0][:, 0], expected)
    series.forget(cut)
    later = np.array(asked, dtype=np.int64) >= cut
    np.testing.assert_array_equal(series.at(asked)[0][later, 0], expected[later])
    assert (series.known[1:] > cut).all()


def test_rows_known_before_those_that_are_kept_are_refused():
    series = AsOf(1)
    series.append(10, [1.0])
    with pytest.raises(ValueError, match="available_at must not go back, was 9 after 10"):
        series.append(9, [2.0])
    with pytest.raises(ValueError, match="must not go back, was 11 after 12"):
        series.append([10, 12, 11, *range(1_000)], np.zeros((1_003, 1)))
    assert len(series) == 1


def test_room_is_bounded_by_what_is_kept():
    series = AsOf(1)
    for t in range(10_000):
        series.append(t, [float(t)])
        series.forget(t - 20)
    assert len(series) == 21
    assert len(series._known) < 200
    assert series.at(9_999)[0] == 9_999


def test_rows_of_another_width_are_refused():
    series = AsOf(3)
    for values in ([1.0], [[1.0]], [1.0] * 6):
        with pytest.raises(ValueError, match=r"values must be of shape \(1, 3\), was"):
            series.append(1, values)
    assert len(series) == 0


def test_nothing_may_be_added():
    series = AsOf(2)
    series.append([], [])
    assert len(series) == 0


def test_what_forgets_as_much_as_it_learns_stays_in_its_memory():
    series = AsOf(1)
    series.append(np.arange(500), np.arange(500.0))
    for t in range(500, 1_000):
        series.append(t, [float(t)])
        series.forget(t - 499)
    memory = series._known
    assert memory.size <= 650
    for t in range(1_000, 5_000):
        series.append(t, [float(t)])
        series.forget(t - 499)
        assert series._known is memory
    np.testing.assert_array_equal(series.known, np.arange(4_500, 5_000))
    np.testing.assert_array_equal(series.values[:, 0], np.arange(4_500.0, 5_000.0))
