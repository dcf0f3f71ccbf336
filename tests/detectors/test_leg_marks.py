import numpy as np
from builders import random_bars

from opportunity.detectors.fibonacci import Fibonacci
from opportunity.detectors.leg_marks import KINDS, LINES, POCKET


def test_every_kind_is_reported_with_its_points():
    bars = random_bars(3000, seed=11)
    found = Fibonacci().events(bars)
    assert {e.kind for e in found} == {k.name for k in KINDS}
    labels = {k.name: k.labels for k in KINDS}
    for event in found:
        said = tuple(label for _, _, label in event.points)
        assert said == (labels[event.kind] or ("",))
        assert (event.scale is None) == (event.kind == "cluster")


def test_prices_of_legs_are_prices_of_bars():
    bars = random_bars(1000, seed=12)
    by_time = {t: i for i, t in enumerate(bars.time.tolist())}
    legs = [e for e in Fibonacci().events(bars) if e.kind == "leg"]
    assert legs
    for event in legs:
        for time, price, _ in event.points:
            i = by_time[time]
            assert price in (bars.high[i], bars.low[i], bars.close[i])


def test_levels_and_pocket_lie_on_their_leg():
    events = Fibonacci().events(random_bars(1000, seed=12))
    legs = {e.id: e for e in events if e.kind == "leg"}
    assert legs
    for event in (e for e in events if e.kind == "levels"):
        prices = np.array([p for _, p, _ in event.points])
        span = (prices[0] - prices[-1]) / (LINES[-1] - LINES[0])
        top = prices[0] + LINES[0] * span
        np.testing.assert_allclose(prices, top - np.array(LINES) * span, rtol=1e-9)
        assert np.sign(span) == event.side
        pocket = sorted(top - r * span for r in POCKET)
        np.testing.assert_allclose(sorted(event.zone), pocket, rtol=1e-9)


def test_things_change_state_under_one_id():
    events = Fibonacci().events(random_bars(2000, seed=13))
    bounces: dict[str, list[str]] = {}
    for event in events:
        if event.kind == "bounce":
            bounces.setdefault(event.id, []).append(event.state)
    assert bounces
    ends = {"done", "invalid", "expired"}
    for states in bounces.values():
        assert states[0] == "forming"
        assert not ends & set(states[:-1])
    assert {states[-1] for states in bounces.values()} >= ends
