"""Places in paths: bounded, and names as names are everywhere."""

import pytest
from pydantic import ValidationError

from opportunity.contracts.paths import JobPath, NamePath, NumberPath, SymbolPath


def test_places_are_read_from_text():
    assert NamePath.model_validate({"name": " a b "}).name == "a b"
    assert NumberPath.model_validate({"id": "12"}).id == 12
    assert SymbolPath.model_validate({"symbol": "BTC-USDT"}).symbol == "BTC-USDT"
    assert JobPath.model_validate({"id": "x" * 64}).id == "x" * 64


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (NamePath, {"name": "../x"}), (NamePath, {"name": ".."}), (NamePath, {"name": "x" * 65}),
        (NumberPath, {"id": "-1"}), (NumberPath, {"id": str(2**31)}), (NumberPath, {"id": "x"}),
        (SymbolPath, {"symbol": "B"}), (SymbolPath, {"symbol": "B" * 49}),
        (JobPath, {"id": ""}), (JobPath, {"id": "x" * 65}),
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused(model, given):
    with pytest.raises(ValidationError):
        model.model_validate(given)
