import pytest
from builders import mirrored
from smc_bars import after_lead, events_of, told, walk

from opportunity.detectors.smc import Smc
from opportunity.detectors.smc_zones import N_BLOCKS, N_GAPS, ZONE_WEIGHT, nearness
from opportunity.indicators import atr

GAP = [(100, 100.5, 99.5, 100), (100, 102, 100, 102), (102, 103, 101, 103)]  # zone 100.5 to 101
KINDS = ("fvg", "inverse_fvg")


def seen(*rows):
    events = events_of(after_lead(GAP, *rows), *KINDS)
    return told([e for e in events if e.zone == (101.0, 100.5)])


def test_gap_is_open_touched_half_and_filled():
    assert seen(
        (103, 103, 101, 102),  # the edge itself is not inside
        (102, 102, 100.875, 101.5),
        (101.5, 101.5, 100.75, 101.5),  # the middle is not past it
        (101.5, 101.5, 100.625, 101.5),
        (101.5, 101.5, 100.5, 101.5),  # nor is the far edge
        (101.5, 101.5, 100.375, 101.5),
    ) == [
        (2, "fvg", 1, "active"),
        (4, "fvg", 1, "touched"),
        (6, "fvg", 1, "touched"),
        (8, "fvg", 1, "done"),
    ]


def test_depth_is_told():
    events = events_of(after_lead(GAP, (102, 102, 100.875, 101.5)), *KINDS)
    assert events[-1].text == "Bullish fair value gap, 25% filled (touched)"


def test_gap_that_a_bar_closes_beyond_is_inverted_once():
    below = (101, 101, 100, 100.25)
    assert seen(
        below,
        (100.25, 100.625, 100, 100.25),  # back into it from below
        (100.25, 101.25, 100.25, 101.25),  # and closed through again: gone for good
        (101.25, 101.25, 100, 100.25),
    ) == [
        (2, "fvg", 1, "active"),
        (3, "fvg", 1, "invalid"),
        (3, "inverse_fvg", -1, "active"),
        (4, "inverse_fvg", -1, "touched"),
        (5, "inverse_fvg", -1, "invalid"),
    ]
    assert seen(below, (100.25, 101.25, 100.25, 100.625))[-1] == (4, "inverse_fvg", -1, "done")


def test_inverted_gap_is_worth_half():
    events = events_of(after_lead(GAP, (101, 101, 100, 100.25)), *KINDS)
    assert events[-1].quality == pytest.approx(0.5 * events[0].quality)
    assert events[-1].id != events[0].id
    assert events[1].id == events[0].id


def test_turning_out_of_the_zone_makes_it_worth_more_up_to_one():
    turn = (102, 102, 100.875, 101.5)
    events = events_of(after_lead(GAP, *[turn] * 5, (102, 102, 100.25, 101)), *KINDS)
    raw = events[0].quality
    assert events[1].quality == raw  # the bar that touched it had not turned when it did
    assert events[-1].quality == min(1.0, raw * 1.3**5) == 1.0
    one = events_of(after_lead(GAP, turn, (102, 102, 100.25, 101)), *KINDS)
    assert one[-1].quality == pytest.approx(1.3 * raw)


def test_zone_counts_within_half_an_atr_and_fades_with_distance():
    score = {}
    for close in (101.0, 101.25, 102.0):
        bars = after_lead(GAP, (103, 103, 101, close))
        score[close] = Smc().detect(bars).score[-1]
        a = atr(bars, 14)[-1]
        event = events_of(bars, "fvg")[0]
        expected = ZONE_WEIGHT * event.quality * max(0.0, 1 - (close - 101) / (0.5 * a))
        assert score[close] == pytest.approx(expected if expected >= 0.02 else 0.0)
    assert score[101.0] > score[101.25] > score[102.0] == 0


def test_nearness_is_the_same_on_both_sides():
    near = getattr(nearness, "py_func", nearness)
    assert near(1, 100.0, 99.0, 2.0) == near(-1, 100.0, 101.0, 2.0) == 1.0
    assert near(1, 100.0, 100.25, 2.0) == near(-1, 100.0, 99.75, 2.0) == 0.75
    assert near(1, 100.0, 101.0, 2.0) == near(-1, 100.0, 99.0, 2.0) == 0.0


def test_mirrored_zones_do_the_opposite():
    bars = after_lead(GAP, (101, 101, 100, 100.25), walk(100.25, 101.25))
    twins = [(b, k, -side, state) for b, k, side, state in told(events_of(mirrored(bars), *KINDS))]
    assert twins == told(events_of(bars, *KINDS))


def stairs(n: int):
    """Rows that leave `n` bullish gaps, one a step, never filled."""
    rows, price = [], 100.0
    for _ in range(n):
        rows += [
            (price, price + 0.5, price - 0.5, price),
            (price, price + 2, price, price + 2),
            (price + 2, price + 3, price + 1, price + 2.5),
            (price + 2.5, price + 3, price + 1.5, price + 2.5),
        ]
        price += 2.5
    return rows


def test_of_twice_as_many_gaps_as_there_is_room_for_the_oldest_go():
    detector = Smc(merge=0)
    events = events_of(after_lead(stairs(2 * N_GAPS)), "fvg", detector=detector)
    made = [e.id for e in events if e.state == "active" and e.side > 0]
    gone = [e.id for e in events if e.state == "expired"]
    assert len(made) == 2 * N_GAPS
    assert gone == made[:N_GAPS]


def test_gaps_never_take_the_room_of_blocks():
    drop, thrust = walk(100, 101, 102, 103, 102, 101), (101, 103.5, 101, 103.5)
    up = [tuple(price + 3 for price in row) for row in stairs(20)]
    bars = after_lead(drop, thrust, up)
    events = events_of(bars, "order_block", detector=Smc(merge=0))
    assert next(e.state for e in events) == "active"
    assert "expired" not in [e.state for e in events]
    assert N_BLOCKS < N_GAPS
