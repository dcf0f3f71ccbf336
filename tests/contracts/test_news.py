import pytest
from pydantic import ValidationError

from opportunity.contracts.news import MOST_HEADLINES, HeadlineItem, NewsQuery

ITEM = {
    "title": "t", "publisher": "p", "tone": -1.0, "impact": 0.3, "link": 0.4, "trust": 1.0,
    "n_publishers": 1, "known_at": 2, "event_time": 1,
}


def test_query_is_read_from_text_within_bounds():
    assert NewsQuery.model_validate({"symbol": "BTCUSDT", "limit": "5"}).limit == 5
    with pytest.raises(ValidationError):
        NewsQuery.model_validate({"symbol": "BTCUSDT", "limit": str(MOST_HEADLINES + 1)})


def test_tone_stays_in_its_range():
    assert HeadlineItem(**ITEM).tone == -1.0
    with pytest.raises(ValidationError):
        HeadlineItem(**(ITEM | {"tone": 1.5}))
