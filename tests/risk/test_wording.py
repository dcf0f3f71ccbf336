import math

import pytest

from opportunity.risk.sizing import Ticket
from opportunity.risk.wording import bound_text, percent
from opportunity.trading.records import BOUNDS
from opportunity.trading.risk import UNLIMITED, RiskRecord

TICKET = Ticket(100, 95, 10_000, 0.02, atr=2.0, volume=1e6, confidence=0.5)


@pytest.mark.parametrize("name", BOUNDS)
def test_every_bound_has_its_words(name):
    held = bound_text(name, 3.0, TICKET, RiskRecord())
    free = bound_text(name, math.inf, TICKET, RiskRecord())
    assert held
    assert free.startswith("holds nothing")
    assert held != free


def test_bounds_that_are_off_say_so():
    for name in ("liquidity", "volatility", "kelly"):
        assert bound_text(name, math.inf, TICKET, UNLIMITED) == "off"


def test_percents():
    assert percent(0.02) == "2 %"
    assert percent(0.123456) == "12.35 %"
