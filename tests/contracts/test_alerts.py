import pydantic
import pytest

from opportunity.contracts.alerts import (
    ChannelItem,
    NotificationChange,
    OutboxQuery,
    PriceAlertBody,
    RowStatus,
)
from opportunity.storage.outbox import STATUSES


def test_only_what_is_named_changes():
    given = {"min_score": 1, "routes": {"breaker": []}, "why": "x"}
    change = NotificationChange.model_validate(given)
    assert change.changes() == {"min_score": 1.0, "routes": {"breaker": []}}
    assert NotificationChange().changes() == {}


@pytest.mark.parametrize("bad", [{"min_score": "1"}, {"x": 1}, {"routes": {"breaker": [""]}}])
def test_changes_are_strict(bad):
    with pytest.raises(pydantic.ValidationError):
        NotificationChange.model_validate(bad)


def test_statuses_are_those_of_the_outbox():
    assert RowStatus.__args__ == STATUSES
    assert OutboxQuery().limit == 100


@pytest.mark.parametrize("price", [0, -1, float("inf"), float("nan"), "1", True])
def test_prices_are_numbers_above_nothing(price):
    with pytest.raises(pydantic.ValidationError):
        PriceAlertBody.model_validate({"symbol": "BTC/USDT", "rule": "above", "price": price})


def test_a_channel_has_no_place_for_an_address():
    assert set(ChannelItem.model_fields) == {
        "name", "service", "state", "waiting", "failed", "last_sent_at", "last_error",
    }  # fmt: skip
