import orjson

from app.components.header import AgentToggle, ConnectionBadge, ThemeSwitch


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


def test_toggle_alone_switches_itself() -> None:
    toggle = AgentToggle()
    toggle._handle_msg({"enabled": True})
    assert toggle.enabled


def test_badge_and_theme_start_in_a_known_state() -> None:
    assert ConnectionBadge(epoch="a").beat == 0
    assert ThemeSwitch(theme="light").theme == "light"
