import pytest
from pydantic import ValidationError

from opportunity.contracts.exports import MOST_ROWS, WHATS, ExportPath, ExportQuery, TradeRow
from opportunity.contracts.portfolio import TradeItem


def test_things_that_can_be_downloaded():
    assert len(set(WHATS)) == len(WHATS) == 8
    with pytest.raises(ValidationError):
        ExportPath(what="users")


@pytest.mark.parametrize("bad", [{"limit": MOST_ROWS + 1}, {"format": "html"}, {"since": -1}])
def test_query_has_bounds(bad):
    with pytest.raises(ValidationError):
        ExportQuery.model_validate(bad)


def test_rows_of_trades_say_where_they_are_from():
    assert set(TradeRow.model_fields) - set(TradeItem.model_fields) == {"source"}
