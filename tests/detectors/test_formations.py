"""Double tops and head and shoulders on straight legs of 12 bars."""

import pytest
from builders import mirrored, path_bars

from opportunity.detectors import PriceAction
from opportunity.detectors.formations import DOUBLE as DOUBLE_KIND

DOUBLE = [100, 112, 106, 112, 96]
SHOULDERS = [100, 108, 103, 112, 103, 108, 92]


@pytest.fixture(params=[-1, 1], ids=["top", "bottom"])
def side(request):
    return request.param


def make(points, side, steps=12):
    bars = path_bars(points, steps, lead=120)
    return bars if side < 0 else mirrored(bars)


def seen(points, side, kind, steps=12):
    events = PriceAction().events(make(points, side, steps))
    return [e for e in events if e.kind == kind and e.side == side]


def states(*args, **kwargs):
    return [e.state for e in seen(*args, **kwargs)]


def test_double_waits_for_its_neckline_then_reaches_its_target(side):
    events = seen(DOUBLE, side, "double")
    bars = make(DOUBLE, side)
    assert [e.state for e in events] == ["forming", "active", "done"]
    assert len({e.id for e in events}) == 1
    forming, active, done = events
    # legs end on the bars 132, 144, 156; 0.5 to 1.3 a bar, neckline at 6 of 16 of the last leg
    assert bars.close[forming.bar] * side < active.points[1][1] * side
    assert [label for _, _, label in forming.points] == ["1", "neckline", "2"]
    assert [bars.time.tolist().index(t) for t, _, _ in forming.points] == [132, 144, 156]
    closes = bars.close * side
    assert active.bar == next(i for i in range(157, 169) if closes[i] > active.entry * side)
    tops = active.points[0][1]
    assert active.entry == active.points[1][1]
    assert active.stop == (tops + active.entry) / 2
    assert active.targets == (2 * active.entry - tops,)
    reach = (bars.high if side > 0 else bars.low) * side
    assert done.bar == next(i for i in range(157, 169) if reach[i] >= active.targets[0] * side)


def test_forming_says_nothing_and_the_break_does(side):
    bars = make(DOUBLE, side)
    forming, active, _ = seen(DOUBLE, side, "double")
    detector = PriceAction()
    strengths = []
    for bar in bars:
        detector.update(bar)
        items = detector.snapshot()["state"]["items"][0]
        ours = items[(items["alive"] != 0) & (items["kind"] == DOUBLE_KIND)]
        strengths.append(float((ours["p"] * ours["side"]).sum()) * side)
    assert forming.bar < active.bar
    assert strengths[: active.bar] == [0.0] * active.bar
    assert strengths[active.bar] == 0.4
    assert strengths[active.bar + 3] == pytest.approx(0.4 * 2 ** (-3 / 36), rel=1e-12)


@pytest.mark.parametrize(
    ("points", "steps"),
    [
        ([100, 112, 106, 113, 96], 12),  # tops too far apart in price
        ([100, 112, 106, 112, 96], [12, 4, 5, 12]),  # too near in time
        ([100, 112, 106, 112, 96], [12, 61, 60, 12]),  # too far in time
    ],
)
def test_near_misses_of_a_double(points, steps, side):
    assert states(points, side, "double", steps) == []


def test_a_double_that_breaks_the_other_way_is_refuted(side):
    assert states([100, 112, 106, 112, 108, 116], side, "double") == ["forming", "invalid"]


def test_a_broken_double_is_invalid_beyond_its_middle(side):
    events = seen([100, 112, 106, 112, 105, 111], side, "double")
    assert [e.state for e in events] == ["forming", "active", "invalid"]
    bars = make([100, 112, 106, 112, 105, 111], side)
    assert (bars.close[events[2].bar] - events[1].stop) * side < 0
    assert (bars.close[events[2].bar - 1] - events[1].stop) * side >= 0


def test_a_double_waits_no_longer_than_120_bars(side):
    points = [100, 112, 106, 112, 108] + [109, 108] * 20
    assert states(points, side, "double", steps=[12, 12, 12, 12] + [4] * 40) == [
        "forming", "expired"
    ]  # fmt: skip


def test_head_and_shoulders_breaks_its_neckline(side):
    events = seen(SHOULDERS, side, "head_shoulders")
    assert [e.state for e in events] == ["forming", "active", "done"]
    labels = [label for _, _, label in events[0].points]
    assert labels == ["shoulder", "neckline", "head", "neckline", "shoulder"]
    active = events[1]
    head, neck = active.points[2][1], active.points[1][1]
    assert active.entry == pytest.approx(neck)
    assert active.targets[0] == pytest.approx(2 * neck - head)
    assert active.stop == pytest.approx((neck + head) / 2)


def test_a_sloping_neckline_is_followed(side):
    points = [100, 108, 103, 112, 104, 108, 92]
    bars = make(points, side)
    active = seen(points, side, "head_shoulders")[1]
    (t0, p0, _), (t1, p1, _) = active.points[1], active.points[3]
    now = p0 + (p1 - p0) * (bars.time[active.bar] - t0) / (t1 - t0)
    assert active.entry == pytest.approx(now, rel=1e-12)
    assert (bars.close[active.bar] - now) * side > 0


@pytest.mark.parametrize(
    "points",
    [
        [100, 108, 103, 108.25, 103, 108, 92],  # the head is no head
        [100, 108, 103, 112, 103, 109.5, 92],  # shoulders at different heights
    ],
)
def test_near_misses_of_head_and_shoulders(points, side):
    assert states(points, side, "head_shoulders") == []
