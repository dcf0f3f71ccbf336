import numpy as np
import pytest

from opportunity.detectors import DETECTORS
from opportunity.detectors.badges import BADGE_BARS, N_BADGES, NEVER, Badges
from opportunity.detectors.events import ACTIVE, DONE, EVENT, FORMING, INVALID, N_EVENTS, TOUCHED
from opportunity.market.timeframe import HOUR_MS, length_ms

FRAMES = ("1h", "1d", "4h")
NOW = 1_700_000_000_000 // HOUR_MS * HOUR_MS
STATE = np.dtype([("events", EVENT, (N_EVENTS,))], align=True)
MADE = [d() for d in DETECTORS]
PLACE = [d.label for d in MADE].index("price_action")
KINDS = [k.badge for k in MADE[PLACE].kinds]


def seen(badges: Badges, row: int, *events: tuple[str, int, int, int]) -> None:
    """Note events (badge, side, state, known) of one stream's newest bar."""
    states = np.zeros(20, STATE)
    for slot, (name, side, state, known) in zip(states["events"][row], events, strict=False):
        slot["kind"], slot["side"], slot["state"] = KINDS.index(name), side, state
        slot["known"] = known
    badges.note(PLACE, states, np.array([row]), np.array([len(events)]))


@pytest.fixture
def badges() -> Badges:
    return Badges(MADE, 4, FRAMES)


def test_nothing_seen_shows_nothing(badges):
    assert badges.shown(NOW) == ((),) * 4


@pytest.mark.parametrize(
    ("side", "state", "shown"),
    [(1, ACTIVE, 1), (-1, DONE, 1), (0, ACTIVE, 0), (1, FORMING, 0), (1, TOUCHED, 0),
     (1, INVALID, 0)],
)
def test_only_what_argues_for_a_side_is_shown(badges, side, state, shown):
    seen(badges, 3, ("Breakout", side, state, NOW))
    assert badges.shown(NOW)[1] == ("Breakout",) * shown
    assert badges.shown(NOW)[0] == ()


def test_kinds_without_a_badge_are_left_out(badges):
    seen(badges, 0, ("", 1, ACTIVE, NOW))
    assert (badges.known == NEVER).all()


def test_longest_timeframe_first_then_newest_then_by_name(badges):
    old = NOW - HOUR_MS
    seen(badges, 0, ("Star", 1, ACTIVE, NOW))
    seen(badges, 2, ("Harami", 1, ACTIVE, old), ("Tweezer", 1, ACTIVE, NOW),
         ("Engulfing", -1, ACTIVE, old))
    assert badges.shown(NOW)[0] == ("Tweezer", "Engulfing", "Harami")
    seen(badges, 1, ("Tweezer", 1, ACTIVE, old), ("Marubozu", 1, ACTIVE, old))
    assert badges.shown(NOW)[0] == ("Marubozu", "Tweezer", "Engulfing")
    assert all(len(names) <= N_BADGES for names in badges.shown(NOW))


@pytest.mark.parametrize("column", range(3))
def test_a_badge_fades_after_its_bars(badges, column):
    seen(badges, column, ("Breakout", 1, ACTIVE, NOW))
    end = NOW + (1 + BADGE_BARS) * length_ms(FRAMES[column])
    assert badges.shown(end - 1)[0] == ("Breakout",)
    assert badges.shown(end)[0] == ()
