import numpy as np

from opportunity.detectors.records import N_NEAR, Rows, place_near, place_of

KIND = np.dtype([("time", "i8"), ("x", "f8")])


def add(rows: Rows, times) -> None:
    n = len(rows)
    room = rows.room(len(times))
    room["time"][n:] = times
    rows.grow(n + len(times))


def test_rows_grow_and_keep_what_was_written():
    rows = Rows(KIND)
    assert len(rows) == 0
    for t in range(100):
        add(rows, [t])
    np.testing.assert_array_equal(rows.view["time"], np.arange(100))
    assert rows.room(0).size == 100


def test_only_the_old_end_is_forgotten_and_room_stays_bounded():
    rows = Rows(KIND)
    for t in range(5_000):
        add(rows, [t])
        rows.forget(len(rows) - 10)
    np.testing.assert_array_equal(rows.view["time"], np.arange(4_990, 5_000))
    assert rows.forgotten == 4_990
    assert rows._rows.size < 200
    rows.forget(99)
    rows.forget(-1)
    assert (len(rows), rows.forgotten) == (0, 5_000)


def test_places_are_those_of_searchsorted_whatever_the_guess():
    rng = np.random.default_rng(1)
    rows = np.zeros(300, KIND)
    rows["time"] = np.sort(rng.integers(0, 1_000, 300))
    for t in rng.integers(-50, 1_050, 300):
        place = np.searchsorted(rows["time"], t)
        assert place_of(rows, t) == place
        for guess in (*range(place - 2 * N_NEAR, place + 3), 0, 300, 9_999):
            assert place_near(rows, t, guess) == place
    assert place_of(rows[:0], 7) == place_near(rows[:0], 7, 3) == 0


def test_a_series_that_forgets_as_much_as_it_learns_stays_in_its_memory():
    rows = Rows(KIND)
    add(rows, range(1_000))
    for t in range(1_000, 2_000):  # room for all of them has been made by then
        add(rows, [t])
        rows.forget(1)
    memory, most = rows._rows, rows._rows.size
    assert most <= 1_300
    for t in range(2_000, 9_000):
        assert not rows.room(1)[-1]["x"], "room for a new row must be empty"
        add(rows, [t])
        rows.view["x"][-1] = t
        rows.forget(1)
        assert rows._rows is memory
    np.testing.assert_array_equal(rows.view["time"], np.arange(8_000, 9_000))
    np.testing.assert_array_equal(rows.view["x"], np.arange(8_000, 9_000))


def test_room_may_be_made_at_once():
    rows = Rows(KIND, 50)
    memory = rows._rows
    add(rows, range(50))
    assert rows._rows is memory
