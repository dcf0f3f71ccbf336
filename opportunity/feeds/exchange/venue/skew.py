"""An exchange's clock, measured over a network that takes its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from opportunity.feeds.clock import SLOWEST, Clock

NOISE_MS: Final = 20.0
"""What a clock may be ahead by, wall ms, before it is slowed down: less is the network."""

SLOWEST_SHARE: Final = 0.5
"""A clock that is ahead runs at least this fast, as a share of its speed."""

STEP_MS: Final = 5_000.0
"""A jump ahead that is believed only when it is measured twice, wall ms."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to the question for the time.

    Parameters
    ----------
    server_ms : int
        What the exchange said, ms UTC.
    middle : float
        Middle between question and answer, monotonic seconds.
    wall_ms : float
        Wall time of this machine in the middle, ms UTC.
    """

    server_ms: int
    middle: float
    wall_ms: float


def origin(samples: Sequence[Sample], speed: float) -> float:
    """Return the exchange's time at monotonic zero, ms UTC: the median over the samples."""
    return median(s.server_ms - s.middle * 1000.0 * speed for s in samples)


def skew_ms(samples: Sequence[Sample]) -> int:
    """Return the exchange's clock minus this machine's, ms: the median over the samples."""
    return round(median(s.server_ms - s.wall_ms for s in samples))


def jumps(clock: Clock, samples: Sequence[Sample], speed: float) -> bool:
    """Tell whether the samples would throw a running clock far ahead."""
    target = origin(samples, speed) + clock.real() * 1000.0 * speed
    return clock.running and target - clock.now() > STEP_MS * speed


def steer(clock: Clock, samples: Sequence[Sample], speed: float, period_s: float) -> None:
    """Set a clock by samples; it never goes back.

    A clock that is behind is put right at once. One that is ahead is slowed down so that it is
    right again after `period_s`, when it should be steered again.

    Parameters
    ----------
    clock : Clock
        Of the feed.
    samples : sequence of Sample
        At least one.
    speed : float
        Feed seconds a real second.
    period_s : float
        Wall seconds until the next time.
    """
    target = origin(samples, speed) + clock.real() * 1000.0 * speed
    if not clock.running:
        clock.speed = speed
        clock.start(round(target))
        return
    ahead = clock.now() - target
    share = 1.0
    if ahead > NOISE_MS * speed:
        share = max(SLOWEST_SHARE, 1.0 - ahead / (1000.0 * speed * period_s))
    clock.speed = max(SLOWEST, speed * share)
    if ahead < 0:
        clock.start(max(clock.now(), round(target)))
