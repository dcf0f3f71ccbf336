import pytest

from opportunity.feeds.exchange.tuning import GRACE_MS, HOLD_MS, Tuning

MINUTE = 60_000


def test_a_real_exchange_gets_the_plain_waits():
    assert Tuning().waits(1.0, MINUTE, exact=True) == (GRACE_MS, HOLD_MS)


@pytest.mark.parametrize("speed", [60.0, 6_000.0])
def test_a_fast_market_waits_longer_but_never_a_bar(speed):
    grace, hold = Tuning().waits(speed, MINUTE, exact=True)
    assert GRACE_MS < grace < MINUTE
    assert HOLD_MS < hold < MINUTE


def test_bars_that_are_asked_for_in_turn_are_waited_for():
    assert Tuning().waits(1.0, MINUTE, exact=False)[1] == 40_000


def test_what_is_set_counts():
    assert Tuning(grace_ms=1, hold_ms=2).waits(60.0, MINUTE, exact=True) == (1, 2)
