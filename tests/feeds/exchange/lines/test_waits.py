"""How long lines wait."""

import pytest

from opportunity.feeds.exchange.lines.waits import Backoff, Silence


def test_backoff_doubles_up_to_its_bound_with_jitter() -> None:
    backoff = Backoff(1, 0.5, 30.0)
    waits = [backoff.draw() for _ in range(12)]
    for wait, whole in zip(waits, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30], strict=True):
        assert whole / 2 <= wait <= whole
    assert len(set(waits)) == len(waits)


def test_backoff_is_seeded_and_lines_differ() -> None:
    one, same, other = Backoff(1), Backoff(1), Backoff(2)
    first = [one.draw() for _ in range(5)]
    assert first == [same.draw() for _ in range(5)]
    assert first != [other.draw() for _ in range(5)]


def test_backoff_begins_anew_after_a_reset_and_heeds_the_venue() -> None:
    backoff = Backoff(3)
    for _ in range(6):
        backoff.draw()
    backoff.reset()
    assert backoff.draw() <= 0.5
    assert backoff.draw(least_s=17.0) == 17.0


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (2.0, 1.0)])
def test_backoff_refuses_bounds_in_disorder(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="first_s must be in"):
        Backoff(0, *bounds)


def test_a_busy_line_may_be_silent_for_the_least_time() -> None:
    silence = Silence(10.0, 75.0)
    for _ in range(100):
        silence.heard(0.4)
    assert silence.limit_s == 10.0


def test_a_line_that_speaks_seldom_is_borne_longer() -> None:
    silence = Silence(10.0, 75.0)
    for _ in range(30):
        silence.heard(4.0)
    assert silence.limit_s == pytest.approx(40.0, rel=0.01)
    for _ in range(30):
        silence.heard(60.0)
    assert silence.limit_s == 75.0


def test_each_silence_is_borne_twice_as_long_as_the_one_before_until_something_comes() -> None:
    silence = Silence(10.0, 75.0)
    limits = []
    for _ in range(5):
        limits.append(silence.limit_s)
        silence.lost()
    assert limits == [10.0, 20.0, 40.0, 75.0, 75.0]
    for _ in range(20):
        silence.heard(0.5)
    assert silence.limit_s == 10.0


def test_silence_refuses_bounds_in_disorder() -> None:
    with pytest.raises(ValueError, match="least_s must be in"):
        Silence(5.0, 4.0)
