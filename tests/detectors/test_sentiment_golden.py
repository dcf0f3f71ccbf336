"""Two stories drawn by hand, checked bar by bar. Bar 120 opens on day 0."""

import numpy as np
import pytest
from moods import DAY_0, hourly_interest, moods, quiet_bars, settlements

from opportunity.detectors.sentiment import Sentiment
from opportunity.market.observations import Record
from opportunity.market.timeframe import DAY_MS, HOUR_MS

FIRST = DAY_0 - 120 * HOUR_MS


def told(found):
    return [(e.bar, e.kind, e.state, e.side, e.text) for e in found.events]


def test_fear_comes_deepens_eases_and_is_heard_of_no_more():
    # 45 for ten days; day 0: 24, day 1: 20, day 2: 31; each known at the end of its day
    records = moods([45] * 10 + [24, 20, 31], DAY_0 - 10 * DAY_MS)
    found = Sentiment().detect(quiet_bars(300, FIRST), records)

    assert told(found) == [
        (143, "mood", "active", 1, "Extreme fear: Fear & Greed at 24 of 100 (active)"),
        (191, "mood", "done", 1, "Extreme fear: Fear & Greed at 31 of 100 (done)"),
    ]
    assert found.events[0].quality == pytest.approx(0.52)
    assert found.events[0].points[0][2] == "fear"

    shown = found.outputs["fear_greed"]
    for bars, value in (((0, 142), 45), ((143, 166), 24), ((167, 190), 20), ((191, 287), 31)):
        assert (shown[bars[0] : bars[1] + 1] == value).all()
    assert np.isnan(shown[288:]).all()

    # level: -0.1 below the middle gives -0.1; beyond 0.5 it turns; change in 25 points
    expected = {
        99: -0.1 * 0.25 / 0.35,
        142: -0.1 * 0.25 / 0.35,
        143: (0.25 * 0.02 / 0.6 + 0.10 * -0.84) / 0.35,
        166: (0.25 * 0.02 / 0.6 + 0.10 * -0.84) / 0.35,
        167: (0.25 * 0.1 / 0.6 + 0.10 * -1.0) / 0.35,
        191: (0.25 * -0.12 + 0.10 * -0.56) / 0.35,
        287: (0.25 * -0.12 + 0.10 * -0.56) / 0.35,
    }
    for bar, score in expected.items():
        assert found.score[bar] == pytest.approx(score, abs=1e-12), bar
    for bar, age in {99: 4, 119: 0, 143: 0, 144: 1, 166: 23, 191: 0, 215: 24, 287: 96}.items():
        assert found.confidence[bar] == pytest.approx(0.4 * 2 ** (-age / 24)), bar
    assert found.available[99:288].all()
    assert not found.available[288:].any()


def test_longs_pay_crowd_in_and_give_up():
    # Funding turns among ten rates, then two settlements far above them, then the middle again.
    usual = [1e-5 * (i % 10) for i in range(120)]
    records: list[Record] = [*settlements([*usual, 2e-4, 2.1e-4, 5e-5], DAY_0 + 16 * HOUR_MS)]

    # Open interest stands 0.1 % higher on every other day; four hours into day 0 it jumps by 1 %.
    def interest(hour: int) -> float:
        return 1000 * np.exp(0.001 * (hour // 24 % 2) + 0.01 * (hour >= 32 * 24 + 4))

    records += hourly_interest(interest, DAY_0 - 32 * DAY_MS, 34 * 24)
    found = Sentiment().detect(quiet_bars(160, FIRST, slope=1.0), records)

    assert [e[:4] for e in told(found)] == [
        (119, "funding", "active", -1),
        (123, "crowd", "active", -1),
        (135, "funding", "done", -1),
        (135, "crowd", "done", -1),
    ]
    texts = [e.text for e in found.events]
    assert texts[0] == "High funding: percentile 100 of 90 days (active)"
    assert texts[2] == "High funding: percentile 54 of 90 days (done)"
    assert texts[1].startswith("Crowded longs: high funding, open interest ")
    assert [e.points[0][0] for e in found.events] == [e.time for e in found.events]
    assert [e.points[0][1] for e in found.events] == [1024.0 + e.bar + 1 for e in found.events]

    percentile = found.outputs["funding_percentile"]
    assert (percentile[119:127] == (120 + 0.5) / 121).all()
    assert (percentile[127:135] == (121 + 0.5) / 122).all()
    assert percentile[135] == (5 * 12 + 13 / 2) / 123

    # Two hours later funding weighs 2^(-2/8) of its 0.25.
    w = 0.25 * 2 ** (-4 / 8)
    pays = -((2 * (120 + 0.5) / 121 - 1) - 0.6) / 0.4
    assert found.score[123] == pytest.approx((w * pays + 0.15 * -0.5) / (w + 0.15), abs=1e-9)
    assert found.confidence[123] == pytest.approx(0.4 * (w + 0.15) / 0.40)
    # The crowd gone, positions still grow with the price: with the move, half of the full height.
    assert found.score[135] == pytest.approx(0.15 * 0.5 / 0.40, abs=1e-9)
    assert found.outputs["by_funding"][135] == 0
