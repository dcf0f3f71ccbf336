import pytest
from pydantic import ValidationError

from opportunity.contracts.watchlists import (
    MOST_SYMBOLS,
    UniverseBody,
    UniverseQuery,
    WatchlistBody,
)


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (WatchlistBody, {}), (WatchlistBody, {"symbols": ["BTC/USDT"] * (MOST_SYMBOLS + 1)}),
        (UniverseQuery, {"top": "0"}), (UniverseQuery, {"sort": "size"}),
        (UniverseQuery, {"quote": "a b"}), (UniverseBody, {"top": "3"}),
        (UniverseBody, {"quote": ""}), (UniverseBody, {"symbols": "BTC/USDT"}),
    ],
)
def test_what_breaks_a_rule_is_refused(model, value):
    with pytest.raises(ValidationError):
        model.model_validate(value)


def test_nothing_chosen_is_as_the_settings_say():
    body = UniverseBody.model_validate({})
    assert (body.quote, body.top, body.symbols) == (None, None, None)
