import numpy as np
import pytest

from opportunity.detectors import DETECTORS
from opportunity.detectors import badges as module
from opportunity.detectors.badges import BADGE_BARS, N_BADGES, NEVER, Badges
from opportunity.detectors.events import (
    ACTIVE,
    DONE,
    EVENT,
    EXPIRED,
    FORMING,
    INVALID,
    N_EVENTS,
    TOUCHED,
)
from opportunity.market.timeframe import HOUR_MS, length_ms

FRAMES = ("1h", "1d", "4h")
NOW = 1_700_000_000_000 // HOUR_MS * HOUR_MS
STATE = np.dtype([("events", EVENT, (N_EVENTS,))], align=True)
MADE = [d() for d in DETECTORS]
PLACE = [d.label for d in MADE].index("price_action")
KINDS = [k.badge for k in MADE[PLACE].kinds]
SMC = [d.label for d in MADE].index("smc")


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
    [(1, ACTIVE, 1), (0, ACTIVE, 0), (1, FORMING, 0), (1, TOUCHED, 0),
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


def tell(badges: Badges, detector: int, kind: str, state: int, known: int, serial: int) -> None:
    """Note one event of stream 1 as a detector's kernel would."""
    states = np.zeros(20, STATE)
    slot = states["events"][1, 0]
    slot["kind"] = [k.name for k in MADE[detector].kinds].index(kind)
    slot["side"], slot["state"], slot["known"], slot["serial"] = 1, state, known, serial
    badges.note(detector, states, np.array([1]), np.array([1]))


def test_a_pattern_that_is_done_is_complete_and_shown(badges):
    harmonic = [d.label for d in MADE].index("harmonic")
    tell(badges, harmonic, "bat", DONE, NOW, 5)
    tell(badges, PLACE, "pin_bar", DONE, NOW, 5)
    assert badges.shown(NOW)[0] == ("Bat", "Pin bar")


@pytest.mark.parametrize("end", [DONE, INVALID, EXPIRED])
def test_a_zone_that_has_ended_is_not_a_fresh_pattern(badges, end):
    tell(badges, SMC, "fvg", end, NOW, 7)  # filled: found long ago
    assert badges.shown(NOW)[0] == ()
    tell(badges, SMC, "fvg", ACTIVE, NOW, 8)
    tell(badges, SMC, "fvg", end, NOW, 7)  # another one
    assert badges.shown(NOW)[0] == ("FVG",)
    tell(badges, SMC, "fvg", end, NOW, 8)
    assert badges.shown(NOW)[0] == ()


def test_ends_of_other_detectors_do_not_count(badges):
    for kind, state in (("pin_bar", ACTIVE), ("engulfing", INVALID)):
        tell(badges, PLACE, kind, state, NOW, 3)
    tell(badges, SMC, "fvg", INVALID, NOW, 3)
    assert badges.shown(NOW)[0] == ("Pin bar",)


def test_kinds_that_are_over_when_done_say_so():
    """Whatever is told as done long after it began lasts; what is complete then does not."""
    lasting = {k.badge for d in MADE for k in d.kinds if k.lasting}
    assert {"FVG", "Equal highs/lows", "OTE", "SAR flip", "Extreme fear", "Flow burst"} <= lasting
    complete = {k.badge for d in MADE for k in d.kinds if k.badge and not k.lasting}
    assert {"Bat", "Elliott impulse", "Pin bar", "Order block", "BOS", "News"} <= complete


def test_what_is_known_of_sets_of_names_is_bounded(badges, monkeypatch):
    monkeypatch.setattr(module, "MOST_WORDS", 5)
    for column in range(9):
        assert badges._read((column, -1, -1)) == (badges._names[column],)
        assert len(badges._words) <= 5
