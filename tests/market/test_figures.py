import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.market.figures import DayFigures, volumes
from opportunity.market.timeframe import DAY_MS, MINUTE_MS, length_ms

START = 1_700_000_000_000 // DAY_MS * DAY_MS


def _bars(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    open_ = np.r_[100.0, close[:-1]]
    high, low = np.maximum(open_, close) + 0.1, np.minimum(open_, close) - 0.1
    values = np.stack([open_, high, low, close, rng.uniform(1, 5, n)], axis=1)
    return START + np.arange(n) * MINUTE_MS, values


def test_figures_equal_a_plain_window_over_the_last_day() -> None:
    times, values = _bars(4_000)
    day = DayFigures(1, "1m")
    for t, bar in zip(times, values, strict=True):
        day.feed(np.array([0]), np.array([t]), bar[None])
    window = values[-1440:]
    assert day.price[0] == values[-1, 3]
    assert day.change()[0] == values[-1, 3] / window[0, 0] - 1
    assert day.volume()[0] == pytest.approx((window[:, 3] * window[:, 4]).sum(), rel=1e-12)


def test_bars_missing_from_the_day_are_not_replaced_by_older_ones() -> None:
    times, values = _bars(3_000)
    keep = np.r_[np.arange(1_600), np.arange(2_990, 3_000)]
    day = DayFigures(1, "1m")
    for i in keep:
        day.feed(np.array([0]), times[[i]], values[[i]])
    inside = keep[times[keep] > times[-1] - DAY_MS]
    assert day.volume()[0] == pytest.approx(
        (values[inside, 3] * values[inside, 4]).sum(), rel=1e-12
    )
    assert day.change()[0] == values[-1, 3] / values[inside[0], 0] - 1


def test_symbols_do_not_mix_and_unseen_ones_are_nan() -> None:
    times, values = _bars(3)
    day = DayFigures(3, "1m")
    day.feed(np.array([0, 2]), times[[0, 0]], values[:2])
    assert np.isnan(day.price[1])
    assert np.isnan(day.change()[1])
    assert np.isnan(day.volume()[1])
    assert day.price[2] == values[1, 3]


def test_day_of_long_bars_is_one_bar() -> None:
    day = DayFigures(1, "1w")
    day.feed(np.array([0]), np.array([START]), np.array([[1.0, 3.0, 1.0, 2.0, 10.0]]))
    assert day.change()[0] == 1.0
    assert day.volume()[0] == 20.0


def test_late_bar_of_another_day_is_left_out() -> None:
    times, values = _bars(1_500)
    day, other = DayFigures(1, "1m"), DayFigures(1, "1m")
    for i in (*range(1_500), 3):
        day.feed(np.array([0]), times[[i]], values[[i]])
        if i > 3:
            other.feed(np.array([0]), times[[i]], values[[i]])
    assert day.change()[0] == values[3, 3] / values[60, 0] - 1
    assert day.volume()[0] == other.volume()[0]


def test_figures_of_some_symbols_can_be_exchanged() -> None:
    times, values = _bars(60)
    day, other = DayFigures(3, "1m"), DayFigures(1, "1m")
    for i in range(60):
        day.feed(np.arange(3), times[[i] * 3], values[[i] * 3])
        other.feed(np.array([0]), times[[i]], 2 * values[[i]])
    price, change, volume = day.price[0], day.change()[0], day.volume()[0]
    day.adopt(np.array([1]), other)
    assert day.price.tolist() == [price, 2 * price, price]
    assert day.change().tolist() == pytest.approx([change] * 3)
    assert day.volume().tolist() == pytest.approx([volume, 4 * volume, volume])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1_000), st.sampled_from(["1m", "15m", "1h", "1d"]), st.floats(0.02, 1.0),
    st.integers(0, 400),
)  # fmt: skip
def test_history_has_the_bits_of_the_live_ring(seed, base, share, hole) -> None:
    """Whatever is missing; the sums hang on what is in the ring, not on how it came in."""
    rng = np.random.default_rng(seed)
    step, n = length_ms(base), 800
    times = START + step * np.arange(n)
    keep = rng.random(n) < share
    keep[300 : 300 + hole] = False
    keep[:3] = True
    times, values = times[keep], _bars(n, seed)[1][keep]
    values[:, 4] = rng.lognormal(0, 6, len(values))
    day, live = DayFigures(1, base), []
    for i in range(times.size):
        day.feed(np.array([0]), times[[i]], values[[i]])
        live.append(day.volume()[0])
    assert volumes(times, values, base).tobytes() == np.array(live).tobytes()
    known = np.sort(rng.integers(0, times.size + 1, 30))
    found = volumes(times, values, base, known)
    wanted = np.where(known > 0, np.array(live)[np.maximum(known, 1) - 1], np.nan)
    np.testing.assert_array_equal(found, wanted)
    for i in (0, times.size // 2, times.size - 1):
        inside = (times > times[i] - max(DAY_MS, step)) & (times <= times[i])
        plain = (values[inside, 3] * values[inside, 4]).sum()
        assert live[i] == pytest.approx(plain, rel=1e-9)


def test_no_bar_has_no_volume() -> None:
    found = volumes(np.empty(0, np.int64), np.empty((0, 5)), "1h", np.zeros(2, np.int64))
    assert np.isnan(found).all()
