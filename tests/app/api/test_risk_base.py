from dataclasses import replace

import pytest
from portfolios import NAMES, account_of
from risky import FakePaper

from app.api.problems import ApiError
from app.api.risk_base import RETRY_S, RiskHandler, read_only
from opportunity.contracts.risk_asked import VarQuery


class Room:
    """The services that a handler asks."""

    def __init__(self, state):
        self.paper, self.symbols = FakePaper(state), NAMES


def handler(state):
    made = RiskHandler.__new__(RiskHandler)
    made.services = Room(state)
    return made


def test_names_that_disagree_are_a_contradiction():
    asked = handler(account_of())
    assert asked.one_of(VarQuery(level=0.9, confidence=0.9), "level", "confidence") == 0.9
    with pytest.raises(ApiError) as caught:
        asked.one_of(VarQuery(level=0.9, confidence=0.8), "level", "confidence")
    assert (caught.value.status_code, caught.value.field) == (400, "level")


@pytest.mark.parametrize(("text", "status"), [("NOPE/USDT", 404), ("?", 422)])
def test_symbols_must_be_watched(text, status):
    asked = handler(account_of())
    assert asked.watched("btcusdt", "symbol") == "BTC/USDT"
    with pytest.raises(ApiError) as caught:
        asked.watched(text, "symbol")
    assert caught.value.status_code == status


def test_writes_wait_while_nothing_can_be_stored():
    handler(account_of()).require_storage()
    with pytest.raises(ApiError) as caught:
        handler(replace(account_of(), storage="disk is full")).require_storage()
    assert caught.value.status_code == 503
    assert read_only().headers == {"Retry-After": str(RETRY_S)}
