"""The header of one page follows the news, and what is pressed in it is carried out."""

import re
from pathlib import Path

from app.pages import head as head_module
from app.pages.head import Head


async def test_a_press_turns_the_agent_for_all_pages(world, doc, turn) -> None:
    head, other = Head(world, doc, "dark"), Head(world, doc, "dark")
    head.agent._handle_msg({"enabled": False})
    await turn(doc)
    assert world.agent.enabled is False
    assert head.agent.enabled is False
    other.show({}, [("config", {"what": "agent"})])
    assert other.agent.enabled is False


async def test_what_was_turned_before_the_page_opened_is_seen(world, doc) -> None:
    head = Head(world, doc, "dark")
    assert head.agent.enabled
    world.agent.enabled = False
    head.open()
    assert not head.agent.enabled


async def test_the_beat_is_that_of_the_market_and_not_too_often(world, doc) -> None:
    head = Head(world, doc, "dark")
    head.show({"price": {}}, [])
    first = head.badge.beat
    assert first == world.now
    world.now += 60_000
    head.show({"price": {}}, [])
    assert head.badge.beat == first
    world.skip(1.0)
    head.show({"price": {}}, [])
    assert head.badge.beat == world.now


async def test_trust_is_that_of_the_newest_scan(world, doc) -> None:
    head = Head(world, doc, "dark")
    assert head.trust.state == "{}"
    head.draw_trust()
    assert f'"symbols":{len(world.symbols)}' in head.trust.state


async def test_every_root_that_the_shell_embeds_is_there(world, doc) -> None:
    markup = (Path(head_module.__file__).parent / "shell.html").read_text(encoding="utf-8")
    embedded = set(re.findall(r"embed\(roots\.(\w+)\)", markup))
    assert set(Head(world, doc, "contrast").roots()) == embedded
