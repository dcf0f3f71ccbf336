import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.venue.skew import (
    AHEAD_MS,
    NOISE_MS,
    STEP_MS,
    Sample,
    jumps,
    skew_ms,
    steer,
)

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


@pytest.mark.parametrize("speed", [1.0, 300.0])
@given(trips=st.lists(st.tuples(st.floats(0.0, 9.0), st.floats(0.0, 1.0)), min_size=1, max_size=9))
def test_a_clock_is_never_ahead_by_a_grace_however_slow_the_answers_are(speed, trips):
    real = Real()
    clock = Clock(0, monotonic=real)
    for took, share in trips:  # the exchange looks at its clock somewhere on the way
        sent, looked = real.at, real.at + took * share
        real.at += took
        told = int(NOW + looked * 1000 * speed)
        steer(clock, [Sample(told, sent + took / 2, NOW, took / 2)] * 5, speed, 600.0)
        assert clock.now() <= NOW + real.at * 1000 * speed + AHEAD_MS + 1
    best = min(took for took, _ in trips)
    assert clock.now() >= NOW + (real.at - best) * 1000 * speed - 3


@pytest.mark.parametrize("speed", [1.0, 300.0])
def test_what_all_answers_agree_on_is_closer_than_any_of_them(speed):
    real = Real()
    clock = Clock(0, monotonic=real)
    early, late = round(NOW + 49.1 * 1000 * speed), round(NOW + 49.9 * 1000 * speed)
    told = [Sample(early, 49.5, NOW, 0.5), Sample(late, 49.5, NOW, 0.5)]
    steer(clock, told, speed, 600.0)
    assert clock.now() == pytest.approx(NOW + 50_000 * speed, abs=0.1001 * 1000 * speed)


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
