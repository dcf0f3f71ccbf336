import pytest
from pydantic import ValidationError

from opportunity.contracts.pnl import DaysQuery, MetricsQuery


@pytest.mark.parametrize("text", ["2026-1-1", "1999-01-01", "2026-00-10", "2026-01-32", "today"])
def test_day_is_written_in_one_way(text):
    with pytest.raises(ValidationError):
        DaysQuery(date=text)


def test_days_have_bounds():
    assert DaysQuery.model_validate({"days": "366", "date": "2026-12-31"}).days == 366
    for model in (DaysQuery, MetricsQuery):
        for days in (0, 367):
            with pytest.raises(ValidationError):
                model(days=days)
