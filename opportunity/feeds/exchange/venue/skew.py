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

AHEAD_MS: Final = 1_000.0
"""By how much a clock may be ahead at worst, ms of the exchange's time: half of the shortest grace
after which a bar is final, so that no answer can hold an open bar that looks final."""

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
    reach : float
        Seconds from the middle to either end: the exchange may have looked at its clock then.
    """

    server_ms: int
    middle: float
    wall_ms: float
    reach: float = 0.0


def origin(samples: Sequence[Sample], speed: float) -> tuple[float, float]:
    """Return between which limits the exchange's time at monotonic zero is, ms UTC.

    What all samples agree on; where they do not, because one is far off or the exchange's clock
    was put right meanwhile, the medians of their limits.
    """
    lows = [s.server_ms - (s.middle + s.reach) * 1000.0 * speed for s in samples]
    highs = [s.server_ms - (s.middle - s.reach) * 1000.0 * speed for s in samples]
    low, high = max(lows), min(highs)
    return (low, high) if low <= high else (median(lows), median(highs))


def skew_ms(samples: Sequence[Sample]) -> int:
    """Return the exchange's clock minus this machine's, ms: the median over the samples."""
    return round(median(s.server_ms - s.wall_ms for s in samples))


def jumps(clock: Clock, samples: Sequence[Sample], speed: float) -> bool:
    """Tell whether the samples would throw a running clock far ahead."""
    target = origin(samples, speed)[0] + clock.real() * 1000.0 * speed
    return clock.running and target - clock.now() > STEP_MS * speed


def steer(clock: Clock, samples: Sequence[Sample], speed: float, period_s: float) -> None:
    """Set a clock by samples; it never goes back.

    A clock that is behind all that the samples allow is put right at once, to their middle or a
    second of the exchange's time beyond the least, whichever comes first. One that is ahead of
    them all is slowed down so that it is right again after `period_s`, when it should be steered
    again. In between nothing is known better.

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
    now = clock.real() * 1000.0 * speed
    low, high = (limit + now for limit in origin(samples, speed))
    target = min((low + high) / 2.0, low + AHEAD_MS)
    if not clock.running:
        clock.speed = speed
        clock.start(round(target))
        return
    ahead = clock.now() - high
    share = 1.0
    if ahead > NOISE_MS * speed:
        share = max(SLOWEST_SHARE, 1.0 - ahead / (1000.0 * speed * period_s))
    clock.speed = max(SLOWEST, speed * share)
    if clock.now() < low - 1.0:  # a clock is read in whole ms
        clock.start(max(clock.now(), round(target)))
