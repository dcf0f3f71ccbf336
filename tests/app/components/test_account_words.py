from app.components.account_words import (
    BREAKER_LIMITS,
    BREAKERS,
    REASONS,
    STATUSES,
    word,
    words,
)
from app.components.language import LANGUAGES, catalogue
from opportunity.trading import records
from opportunity.trading.risk import RiskRecord


def test_every_reason_status_and_breaker_has_words():
    assert set(REASONS) == set(records.REASONS)
    assert set(STATUSES) == set(records.STATUSES)
    assert set(BREAKERS) == set(BREAKER_LIMITS) == set(records.BREAKERS)
    assert set(BREAKER_LIMITS.values()) <= set(RiskRecord().as_dict())


def test_an_unknown_name_is_at_least_readable():
    assert words(REASONS, "SL") == "stop reached"
    assert words(STATUSES, "NEW_LIMIT") == "new limit"


def test_the_catalogue_has_all_of_them() -> None:
    texts = {*REASONS.values(), *STATUSES.values(), *BREAKERS.values(), "the agent is off"}
    for code in LANGUAGES:
        if code != "en":
            assert texts <= set(catalogue(code)), code
    assert word("filled") == {"text": "filled", "values": {}}
