import orjson
import pytest

from app.components.header import AgentToggle, ConnectionBadge, ThemeSwitch, TrustBadge
from app.components.theme import PALETTES
from opportunity.scoring.trust import TrustSummary
from opportunity.storage.failures import StorageFull


def test_toggle_asks_and_shows_what_it_is_told() -> None:
    asked: list[bool] = []
    toggle = AgentToggle(on_toggle=asked.append, enabled=True)
    toggle._handle_msg({"enabled": False})
    assert asked == [False]
    assert toggle.enabled  # only who owns the agent says what it is
    assert orjson.loads(toggle.answer) == {"n": 1, "error": ""}


def test_toggle_shows_what_went_wrong() -> None:
    def refuse(enabled: bool) -> None:
        raise ValueError("enabled must be allowed, was not")

    toggle = AgentToggle(on_toggle=refuse)
    toggle._handle_msg({"enabled": True})
    assert "must be allowed" in orjson.loads(toggle.answer)["error"]
    assert not toggle.enabled


def test_toggle_shows_that_nothing_can_be_stored() -> None:
    def refuse(enabled: bool) -> None:
        raise StorageFull("settings must be kept, were not")

    toggle = AgentToggle(on_toggle=refuse)
    toggle._handle_msg({"enabled": True})
    assert "must be kept" in orjson.loads(toggle.answer)["error"]


def test_toggle_alone_switches_itself() -> None:
    toggle = AgentToggle()
    toggle._handle_msg({"enabled": True})
    assert toggle.enabled


def test_badge_and_theme_start_in_a_known_state() -> None:
    assert ConnectionBadge(epoch="a").beat == 0
    for name in PALETTES:
        assert ThemeSwitch(theme=name).theme == name
    with pytest.raises(ValueError, match="sepia"):
        ThemeSwitch(theme="sepia")


def test_trust_is_told_of_the_whole_market_once_something_scored() -> None:
    badge = TrustBadge()
    badge.draw(TrustSummary(0.4, 0.9, 1, 3))
    assert orjson.loads(badge.state) == {
        "lowest": 0.4, "median": 0.9, "vetoed": 1, "symbols": 3,
    }
    for nothing in (None, TrustSummary(float("nan"), float("nan"), 0, 0)):
        badge.draw(nothing)
        assert badge.state == "{}"
