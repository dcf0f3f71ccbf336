import pytest
from surrounded import HOUR, NOW, around, told

from app.components.news_list import NewsList, news_state


def test_nothing_before_the_warm_up() -> None:
    assert news_state(None) == {}


def test_headlines_as_they_came() -> None:
    title = "<img src=x onerror=alert(1)> Bitcoin"
    (item,) = news_state(around(headlines=[told(title, 0.123456, 1.0, "BTC/USDT")]))["items"]
    assert item == {
        "title": title, "publisher": "Desk", "tone": 0.12, "impact": "high",
        "symbols": ["BTC/USDT"], "publishers": 2, "trust": 0.4, "known": NOW,
        "written": NOW - HOUR,
    }  # fmt: skip


@pytest.mark.parametrize(("value", "name"), [(1.0, "high"), (0.6, "medium"), (0.3, "low")])
def test_impact_has_a_name(value, name) -> None:
    (item,) = news_state(around(headlines=[told("a", 0.0, value)]))["items"]
    assert item["impact"] == name
    assert item["symbols"] == []


def test_filters_take_known_values_alone() -> None:
    part = NewsList(impact="high", tone="bearish")
    assert news_state(around()) == {
        "stamp": "simulated", "symbols": ["BTC/USDT", "ETH/USDT"], "items": []
    }
    with pytest.raises(ValueError, match="huge"):
        part.impact = "huge"
