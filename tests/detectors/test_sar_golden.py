"""Charts drawn by hand: ramps of one unit a bar, so that ATR is 1 and the stop can be followed.

On a long ramp the acceleration is 0.2, and the stop keeps 5 units behind the extreme: each bar
it comes nearer by a fifth (5 - 1) and the extreme moves on by 1.
"""

import numpy as np
import pytest
from builders import from_ohlc, path_bars

from opportunity.detectors.sar import Sar
from opportunity.market.bars import Bars

Row = tuple[int, str, int, str]


def rows(bars: Bars) -> list[Row]:
    return [(e.bar, e.kind, e.side, e.state) for e in Sar().events(bars)]


def test_fall_rise_and_fall_turn_on_the_third_bar():
    # 300, 180 at bar 120, 210 at 150, 190 at 170. After the low the stop comes down to 184,
    # 183.2 and 182.56 while the highs are 181, 182 and 183: the third bar touches it.
    bars = path_bars([300, 180, 210, 190], steps=[120, 30, 20])
    assert rows(bars) == [
        (123, "SAR flip", 1, "active"),
        (153, "SAR flip", 1, "done"),
        (153, "SAR flip", -1, "active"),
    ]
    found = Sar().detect(bars)
    up, ended, down = found.events
    assert (up.entry, up.stop) == (183.0, 180.0)  # the low of the finished swing
    assert (down.entry, down.stop) == (207.0, 210.0)
    assert [price for _, price, _ in ended.points] == pytest.approx([180, 207.44], abs=0.02)
    assert ended.id == up.id != down.id
    stop = found.outputs["stop"]
    assert stop[120:124] == pytest.approx([185, 184, 183.2, 180], abs=1e-6)
    # 180 + 0.02 * (183 - 180), then 0.04 of the way to 184, then 0.06 of the way to 185
    assert stop[124:127] == pytest.approx([180.06, 180.2176, 180.504544])


def test_fall_rise_and_fall_score_by_their_side():
    bars = path_bars([300, 180, 210, 190], steps=[120, 30, 20])
    found = Sar().detect(bars)
    assert (found.score[99:123] < 0).all()
    assert (found.score[123:153] > 0).all()
    assert (found.score[153:] < 0).all()
    # Three ATR from the stop, age 0, ADX far above 30, the directions still down.
    assert found.outputs["gate"][123] == pytest.approx(0.5)
    assert found.score[123] == pytest.approx(3 / 4 * 0.5 * 0.5)
    assert found.confidence[123] == pytest.approx(0.15 + 0.35 * 0.5)
    assert found.score[124] == pytest.approx(3.94 / 4.94 * 0.6 * 0.5)


def spiked(low: float) -> Bars:
    """A rise from 100 to 220 at bar 120, one bar that dips to `low`, and the rise goes on."""
    rise = path_bars([100, 220], steps=120).values[:, :4]
    then = [(219.5 + k, 220.5 + k, 219.5 + k, 220.5 + k) for k in range(20)]
    return from_ohlc(np.vstack([rise, (220, 220, low, 219.5), then]))


def test_spike_through_the_stop_turns_twice():
    # The stop of bar 121 is 216. It turns to 220, the high; 220.5 on the next bar is above that.
    bars = spiked(215.9)
    assert rows(bars) == [
        (121, "SAR flip", -1, "active"),
        (122, "SAR flip", -1, "done"),
        (122, "SAR flip", 1, "active"),
    ]
    found = Sar().detect(bars)
    assert [e.stop for e in found.events if e.state == "active"] == [220.0, 215.9]
    assert [price for _, price, _ in found.events[1].points] == [220.0, 220.0]
    assert (found.score[99:121] > 0).all()
    assert found.score[121] < 0
    assert (found.score[122:] > 0).all()
    atr = (13 + 4.1) / 14
    assert found.score[121] == pytest.approx(-0.5 / (atr + 0.5) * 0.5 * 0.5)


def test_spike_that_stays_above_the_stop_turns_nothing():
    bars = spiked(216.1)
    assert rows(bars) == []
    assert (Sar().detect(bars).score[99:] > 0).all()
