import pytest

from app.components.language import catalogue
from app.components.risk_words import (
    ALERTS,
    BOUND_WORDS,
    LEVELS,
    LIMITS,
    METHODS,
    PARTS,
    RISK_PER_TRADE,
    SCENARIOS,
)
from opportunity.risk.assessment import POINTS
from opportunity.risk.stress import SCENARIOS as STRESS
from opportunity.risk.value_at_risk import METHODS as TAILS
from opportunity.trading.records import BOUNDS
from opportunity.trading.risk import RiskRecord


def test_every_limit_method_scenario_and_bound_has_words() -> None:
    assert set(LIMITS) == set(RiskRecord().as_dict()) | {RISK_PER_TRADE}
    assert tuple(METHODS) == TAILS
    assert set(PARTS) == set(POINTS)
    assert set(BOUND_WORDS) == set(BOUNDS)
    assert {"LOW", "MEDIUM", "HIGH", "CRITICAL", None} == set(LEVELS)


def test_scenarios_assume_what_the_risk_room_says() -> None:
    assert {one.name: one.assumes for one in STRESS} == {
        name: assumes["text"] for name, (_, assumes) in SCENARIOS.items()
    }


def test_every_alert_that_is_raised_has_a_title() -> None:
    import inspect
    import re

    from opportunity.risk import alerts

    raised = set(re.findall(r'"([A-Z]+(?:_[A-Z0-9]+)+)"', inspect.getsource(alerts)))
    assert raised == set(ALERTS)


def test_titles_are_in_the_catalogue() -> None:
    known = catalogue("fa")
    assert {words.title["text"] for words in LIMITS.values()} <= set(known)


@pytest.mark.parametrize(
    ("name", "bounds"),
    [(RISK_PER_TRADE, (0.0, 1.0)), ("max_drawdown", (0.001, 1.0)), ("max_positions", (1, 1_000))],
)
def test_rules_are_those_of_the_limits(name, bounds) -> None:
    assert LIMITS[name].bounds(name) == bounds


def test_what_zero_switches_off_may_be_zero() -> None:
    assert {name for name, words in LIMITS.items() if words.off} == {
        "max_volume", "max_volatility", "kelly", "max_losses", "stale_bars",
    }  # fmt: skip
    for name, words in LIMITS.items():
        if words.off:
            assert words.bounds(name)[0] == 0.0
