import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.venue.skew import NOISE_MS, STEP_MS, Sample, jumps, skew_ms, steer

NOW = 1_760_000_000_000


class Real:
    def __init__(self):
        self.at = 50.0

    def __call__(self):
        return self.at


def samples(real, server, noise=(0, 0, 0, 0, 0)):
    return [Sample(round(server + n), real.at, NOW) for n in noise]


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_the_median_sets_the_clock(speed):
    real = Real()
    clock = Clock(0, monotonic=real)
    told = samples(real, NOW + 700, (-9_000, 3, 0, -2, 400_000))
    steer(clock, told, speed, 600.0)
    assert clock.now() == NOW + 700
    assert skew_ms(told) == 700
    real.at += 2
    assert clock.now() == NOW + 700 + 2_000 * speed


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_clock_that_is_behind_is_put_right_at_once(speed):
    real = Real()
    clock = Clock(0, monotonic=real)
    steer(clock, samples(real, NOW), speed, 600.0)
    steer(clock, samples(real, NOW + 300), speed, 600.0)
    assert (clock.now(), clock.speed) == (NOW + 300, speed)


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_clock_that_is_ahead_is_slowed_until_it_is_right(speed):
    real, period = Real(), 600.0 / speed
    clock = Clock(0, monotonic=real)
    steer(clock, samples(real, NOW + 1_000 * speed), speed, period)
    steer(clock, samples(real, NOW), speed, period)
    assert clock.now() == NOW + 1_000 * speed
    assert clock.speed < speed
    real.at += period
    assert abs(clock.now() - (NOW + period * 1000 * speed)) <= 2
    steer(clock, samples(real, NOW + period * 1000 * speed), speed, period)
    assert clock.speed == speed


def test_noise_does_not_change_the_speed():
    real = Real()
    clock = Clock(0, monotonic=real)
    steer(clock, samples(real, NOW), 1.0, 600.0)
    steer(clock, samples(real, NOW - NOISE_MS / 2), 1.0, 600.0)
    assert clock.speed == 1.0


def test_far_ahead_is_told():
    real = Real()
    clock = Clock(0, monotonic=real)
    assert not jumps(clock, samples(real, NOW), 1.0)
    steer(clock, samples(real, NOW), 1.0, 600.0)
    assert jumps(clock, samples(real, NOW + STEP_MS + 1), 1.0)
    assert not jumps(clock, samples(real, NOW + STEP_MS - 1), 1.0)
    assert not jumps(clock, samples(real, NOW - 10 * STEP_MS), 1.0)


@given(st.lists(st.tuples(st.floats(0.0, 700.0), st.floats(-9e6, 9e6)), max_size=20))
def test_time_never_goes_back(steps):
    real = Real()
    clock = Clock(0, monotonic=real)
    last = 0
    for passed, error in steps:
        real.at += passed
        assert clock.now() >= last
        last = clock.now()
        steer(clock, samples(real, NOW + real.at * 1000 + error), 1.0, 600.0)
        assert clock.now() >= last
        last = clock.now()
        assert 0.5 <= clock.speed <= 1.0
