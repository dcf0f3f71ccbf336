import math

import numpy as np
import pytest
from portfolios import NAMES, account_of, held_in, market

import opportunity as op
from opportunity.risk.manager import RiskManager
from opportunity.risk.sizing import Ticket
from opportunity.risk.value_at_risk import METHODS, Asked, value_at_risk
from opportunity.trading.risk import RiskLimits, RiskRecord

MARKET = market()
HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}


def test_it_is_public():
    assert op.RiskManager is RiskManager


def test_shared_limits_are_read_anew():
    limits = RiskLimits()
    manager, ticket = RiskManager(limits), Ticket(45_000, 44_000, 10_000, 0.02)
    before = manager.plan(ticket).capped
    limits.max_position = 0.6
    assert manager.limits.max_position == 0.6
    assert manager.plan(ticket).capped == pytest.approx(2 * before)
    assert RiskManager().limits == RiskRecord()


def test_days_are_counted_in_bars_of_the_returns():
    manager = RiskManager()
    hourly = market(timeframe="1h")
    found = manager.value_at_risk(held_in(hourly, HELD), 0.95, 2.0)
    wanted = value_at_risk(np.array([2_000.0, -500.0]), hourly.values[:, :2], Asked(0.95, 48.0))
    assert found.var == pytest.approx(wanted.var)


def test_tails_of_every_method_and_notes_of_those_that_cannot_tell():
    manager = RiskManager()
    found = manager.tails(held_in(MARKET, HELD))
    assert tuple(found) == METHODS
    assert all(tail.var > 0 and not tail.note for tail in found.values())
    short = manager.tails(held_in(market(20), HELD))
    assert all(math.isnan(tail.var) and "at least 30 rows" in tail.note for tail in short.values())
    unknown = manager.tails(held_in(None, HELD))
    assert all("must be known" in tail.note for tail in unknown.values())


def test_a_bad_question_is_refused_even_when_nothing_is_held():
    with pytest.raises(ValueError, match="level"):
        RiskManager().value_at_risk(held_in(None, {}), 1.5)


def test_nothing_held_is_zero_everywhere():
    manager, account = RiskManager(), account_of()
    held = manager.hold(account)
    found = manager.assess(account, held)
    assert (found.var95, found.tail95.es, found.score.total, held.leverage) == (0, 0, 0, 0)
    assert (found.alerts, found.recommendations, found.pair) == ((), (), None)
    assert all(tail.var == 0 for tail in manager.tails(held).values())
    assert manager.components(held).var == 0
    assert manager.shrunk(held) is None


def test_the_assessment_fits_together():
    manager, account = RiskManager(), account_of(HELD)
    held = manager.hold(account, MARKET, {"BTC/USDT": 1e6})
    found = manager.assess(account, held)
    assert found.parts.var == pytest.approx(found.tail95.var)
    assert found.var95 == pytest.approx(found.tail95.var / 10_000)
    assert found.tail99.var > found.tail95.var
    assert found.hours[0] == pytest.approx(24 * 2_000 / 1e4)
    assert math.isnan(found.hours[1])


def test_too_short_a_history_is_unknown_not_zero():
    manager, account = RiskManager(), account_of(HELD)
    held = manager.hold(account, market(20))
    found = manager.assess(account, held)
    assert math.isnan(found.var95)
    assert found.score.level is None
    assert manager.components(held) is None
    assert manager.shrunk(held) is None


def test_the_rest_is_asked_through_it():
    manager = RiskManager()
    assert manager.stop_loss(100, 1, 2.0).stop == 97
    assert manager.check_correlation(("BTC/USDT", 1), [], {}).limit == 0.7
    assert len(manager.stress(held_in(MARKET, HELD))) == 9
    assert len(manager.exposure(held_in(MARKET, dict.fromkeys(NAMES, 1.0))).clusters) >= 1


def test_it_shows_the_limits_that_were_changed():
    assert repr(RiskManager()) == "RiskManager()"
    assert repr(RiskManager(RiskLimits(kelly=0.1))) == "RiskManager(kelly=0.1)"
