import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.risk.sizing import Ticket, plan_position, round_down
from opportunity.trading.records import BOUNDS
from opportunity.trading.risk import UNLIMITED, RiskRecord

LIMITS = RiskRecord()
RUNBOOK = Ticket(45_000, 44_000, 10_000, 0.02)


def bounds(plan):
    return {bound.name: bound for bound in plan.bounds}


def test_the_example_of_the_runbook():
    plan = plan_position(RUNBOOK, LIMITS)
    assert plan.units == pytest.approx(0.2, abs=1e-15)
    assert plan.notional == pytest.approx(9_000)
    assert plan.ticket.side == 1
    assert plan.targets == (46_000, 47_000, 48_000)
    assert plan.r_multiple == 2
    assert plan.binding == "notional"
    assert plan.capped == pytest.approx(0.3 * 10_000 / 45_000)
    assert plan.reason == ""


def test_every_bound_is_told_with_what_it_comes_from():
    ticket = Ticket(
        100, 95, 10_000, 0.02, gross=29_500, atr=2.0, volume=40_000, confidence=0.5
    )
    found = bounds(plan_position(ticket, LIMITS))
    assert tuple(found) == BOUNDS
    wanted = {
        "risk": 40.0, "notional": 30.0, "leverage": 5.0, "liquidity": 4.0, "volatility": 100.0,
        "kelly": 10_000 * 0.25 * (0.25 / 1.5) / 5,
    }  # fmt: skip
    assert {n: b.units for n, b in found.items()} == pytest.approx(wanted)
    assert all(b.notional == pytest.approx(b.units * 100) for b in found.values())
    assert found["risk"].text == "2 % of the equity is lost at the stop, 5 away"
    assert found["leverage"].text.endswith("29500 is held already")
    assert "1 % of the 24 h volume" in found["liquidity"].text
    assert "confidence of 0.5" in found["kelly"].text
    assert plan_position(ticket, LIMITS).binding == "liquidity"


def test_what_is_unknown_or_off_holds_nothing_and_says_which():
    found = bounds(plan_position(RUNBOOK, LIMITS))
    needed = {"liquidity": "24 h volume", "volatility": "ATR", "kelly": "confidence"}
    for name, needs in needed.items():
        assert found[name].units == math.inf
        assert found[name].text == f"holds nothing: the {needs} is not known"
    assert bounds(plan_position(RUNBOOK, UNLIMITED))["kelly"].text == "off"
    assert plan_position(RUNBOOK, UNLIMITED).capped == pytest.approx(0.2)
    assert plan_position(RUNBOOK, UNLIMITED).binding == "risk"


def test_a_short_has_its_targets_below_and_none_below_zero():
    plan = plan_position(Ticket(100, 140, 10_000, 0.02), LIMITS)
    assert plan.ticket.side == -1
    assert plan.targets == (60, 20)


def test_step_and_smallest_notional():
    step = plan_position(Ticket(45_000, 44_000, 10_000, 0.02, step=0.001), LIMITS)
    assert step.capped == 0.066
    assert step.units == pytest.approx(0.2)
    coarse = plan_position(Ticket(45_000, 44_000, 10_000, 0.02, step=1.0), LIMITS)
    assert (coarse.capped, coarse.reason[:27]) == (0.0, "size must be at least one s")
    small = plan_position(Ticket(45_000, 44_000, 10_000, 0.02, min_notional=3_001), LIMITS)
    assert small.capped == 0
    assert "notional must be at least 3001, was 3000" in small.reason
    fits = plan_position(Ticket(45_000, 44_000, 10_000, 0.02, min_notional=2_999), LIMITS)
    assert fits.capped > 0


def test_no_room_left_under_the_leverage_is_no_position():
    plan = plan_position(Ticket(100, 95, 10_000, 0.02, gross=40_000), LIMITS)
    assert (plan.capped, plan.binding) == (0, "leverage")
    assert plan.reason.startswith("leverage: all positions may be 3 times the equity")


@given(st.integers(1, 10**6), st.sampled_from((1e-8, 1e-5, 0.001, 0.1, 0.25, 1.0, 10.0)))
def test_multiples_of_the_step_stay(n, step):
    assert round_down(n * step, step) == pytest.approx(n * step, rel=1e-12)


def test_a_multiple_that_floats_miss_is_one():
    assert 0.7 - 0.4 < 0.3
    assert round_down(0.7 - 0.4, 0.1) == 0.3
    assert round_down(0.2999, 0.1) == 0.2


@given(st.floats(1e-6, 1e6), st.sampled_from((1e-5, 0.001, 0.25, 1.0)))
def test_rounding_goes_down_by_less_than_a_step(units, step):
    found = round_down(units, step)
    assert units - step - 1e-9 * units <= found <= units * (1 + 1e-11)
    assert round_down(units, 0.0) == units


@pytest.mark.parametrize(("units", "step"), [(1e46, 1e-15), (1e17, 1e-8), (3e13, 1.0)])
def test_steps_too_small_to_be_told_apart_change_nothing(units, step):
    assert round_down(units, step) == units


price = st.floats(1, 1e5)


@given(price, price, st.floats(10, 1e7), st.floats(1e-4, 1), st.floats(0, 1e7))
def test_the_capped_size_keeps_every_bound(entry, stop, equity, risk, gross):
    if entry == stop:
        return
    ticket = Ticket(entry, stop, equity, risk, 0, gross, entry / 50, 1e6, 0.6, 0.001)
    plan = plan_position(ticket, LIMITS)
    for bound in plan.bounds:
        assert plan.capped <= max(bound.units, 0) * (1 + 1e-11)
    assert plan.capped * ticket.distance <= equity * risk * (1 + 1e-9)
    least = min(plan.bounds, key=lambda b: b.units)
    assert plan.binding == least.name


@pytest.mark.parametrize(
    ("change", "text"),
    [({"entry": 0.0}, "entry"), ({"stop": -1.0}, "stop"), ({"equity": math.nan}, "equity"),
     ({"risk": 0.0}, "risk must be a fraction"), ({"risk": 1.1}, "risk"),
     ({"gross": -1.0}, "gross"), ({"step": math.inf}, "step"),
     ({"atr": -1.0}, "atr"), ({"confidence": 2.0}, "confidence"),
     ({"stop": 45_000.0}, "differ from the entry"), ({"side": 2}, "side must be 1"),
     ({"side": -1}, "stop of a short must be above the entry 45000, was 44000")],
)  # fmt: skip
def test_tickets_that_make_no_sense_are_refused(change, text):
    given_ = {"entry": 45_000.0, "stop": 44_000.0, "equity": 10_000.0} | change
    with pytest.raises(ValueError, match=text):
        Ticket(**given_)
