"""Two hand-drawn charts for smc, with everything that it is to see, bar by bar."""

from smc_bars import LEAD, after_lead, events_of, walk

from opportunity.detectors.events import Event
from opportunity.detectors.smc import Smc

Seen = tuple[int, str, int, str, tuple[float, float] | float | None]


def seen(event: Event) -> Seen:
    """Bar after the lead, kind, side, state, and the zone or the price of the last point."""
    return (
        event.bar - LEAD, event.kind, event.side, event.state,
        event.zone or event.points[-1][1],
    )  # fmt: skip


def test_structure_and_blocks_of_a_rise_and_its_turn():
    # Up to 103, back to 101, a thrust through 103 that leaves an order block at 101-102, on to
    # 106.5; then all of it is given back: the block is touched, mitigated and broken, and its
    # underside turns the next rise.
    chart = [
        walk(100, 101, 102, 103, 102, 101),  # bars 0-4
        (101, 103.5, 101, 103.5),  # 5: closes beyond 103, body of 2.5 ATR
        walk(103.5, 104.5, 105.5, 106.5),  # 6-8: highs to 106.5
        walk(106.5, 105.5, 104.5, 103.5, 102.5),  # 9-12: confirms 106.5 on both scales
        (102.5, 102.5, 101.75, 102.5),  # 13: into the block and out of it again
        (102.5, 102.5, 101.25, 102),  # 14: past its middle
        (102, 102, 100.5, 100.5),  # 15: closes beyond it and beyond the low at 101
        (100.5, 101.75, 100.5, 101.25),  # 16: back into it from below
        walk(101.25, 100.25, 99.25),  # 17-18: below the low of the lead
    ]
    kinds = ("bos", "choch", "order_block", "breaker", "dealing_range", "ote")
    found = [seen(e) for e in events_of(after_lead(*chart), *kinds)]
    block = (102.0, 101.0)
    assert found == [
        (5, "bos", 1, "active", 103.0),
        (5, "order_block", 1, "active", block),
        (12, "dealing_range", 0, "active", (106.5, 99.5)),
        (13, "order_block", 1, "touched", block),
        (14, "order_block", 1, "touched", block),
        (15, "choch", -1, "active", 101.0),
        (15, "order_block", 1, "invalid", block),
        (15, "breaker", -1, "active", block),
        (15, "bos", 1, "invalid", 103.0),
        (16, "breaker", -1, "touched", block),
        (18, "bos", -1, "active", 99.5),
    ]


def test_liquidity_gaps_and_the_ict_sequence_of_a_turn():
    # A fall with two lows at 97; a third bar reaches 96.5 for what lies below them and closes
    # back; a thrust breaks the last high and leaves a gap; price comes back to the gap.
    chart = [
        walk(100, 101, 102, 101, 100, 99, 98, 97),  # bars 0-6
        walk(97, 98, 98.75, 98, 97, 98, 98.625),  # 7-12
        (98.625, 98.625, 96.5, 97.25),  # 13: the sweep
        (97.25, 99.75, 97.25, 99.75),  # 14: the change of character
        (99.75, 101, 99.25, 100.75),  # 15: completes the gap 98.625 to 99.25
        (100.75, 101.5, 100.5, 101.25),  # 16
        (101.25, 101.25, 99, 99.5),  # 17: the return
    ]
    detector = Smc(merge=0)
    bars = after_lead(*chart)
    found = [seen(e) for e in events_of(bars, detector=detector)]
    assert found == [
        (1, "fvg", 1, "active", (101.0, 100.0)),
        (3, "fvg", 1, "touched", (101.0, 100.0)),
        (4, "bos", -1, "active", 99.5),
        (4, "fvg", -1, "active", (101.0, 100.0)),
        (4, "fvg", 1, "invalid", (101.0, 100.0)),
        (4, "inverse_fvg", -1, "active", (101.0, 100.0)),
        (5, "fvg", -1, "active", (100.0, 99.0)),
        (6, "fvg", -1, "active", (99.0, 98.0)),
        (8, "fvg", -1, "touched", (99.0, 98.0)),
        (12, "equal_levels", 1, "active", 97.0),
        (13, "sweep", 1, "active", 96.5),
        (13, "equal_levels", 1, "done", 97.0),
        (14, "choch", 1, "active", 98.75),
        (14, "ict", 1, "forming", 98.75),
        (14, "order_block", 1, "active", (98.625, 96.5)),
        (14, "fvg", -1, "touched", (100.0, 99.0)),
        (14, "fvg", -1, "invalid", (99.0, 98.0)),
        (14, "inverse_fvg", 1, "active", (99.0, 98.0)),
        (14, "bos", -1, "invalid", 99.5),
        (15, "fvg", 1, "active", (99.25, 98.625)),
        (15, "ict", 1, "forming", (99.25, 98.625)),
        (15, "fvg", -1, "touched", (101.0, 100.0)),
        (15, "inverse_fvg", -1, "touched", (101.0, 100.0)),
        (15, "fvg", -1, "invalid", (100.0, 99.0)),
        (15, "inverse_fvg", 1, "active", (100.0, 99.0)),
        (15, "dealing_range", 0, "active", (102.0, 96.5)),
        (16, "fvg", 1, "active", (100.5, 99.75)),
        (16, "fvg", -1, "invalid", (101.0, 100.0)),
        (16, "inverse_fvg", 1, "active", (101.0, 100.0)),
        (16, "inverse_fvg", -1, "invalid", (101.0, 100.0)),
        (17, "sweep", -1, "active", 101.5),  # 16 closed beyond the Asian high at 101, 17 back
        (17, "ict", 1, "active", (99.25, 98.625)),
        (17, "fvg", 1, "touched", (99.25, 98.625)),
        (17, "inverse_fvg", 1, "touched", (100.0, 99.0)),
        (17, "fvg", 1, "invalid", (100.5, 99.75)),
        (17, "inverse_fvg", -1, "active", (100.5, 99.75)),
        (17, "inverse_fvg", 1, "invalid", (101.0, 100.0)),
    ]
    score = detector.detect(bars).score[LEAD:]
    assert score[12] < 0 < score[17]
