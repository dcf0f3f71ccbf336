import gc
import weakref
from typing import Any

import orjson
import pytest

from app.auth.roles import Caller, Role
from app.pages.head import Head
from app.pages.live_weights import LiveWeights
from opportunity.errors import ConflictError
from opportunity.scoring.presets import PRESETS


class Asked:
    """Notes what the page asks of the history."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, Any, bool]] = []

    async def compare(self, now, draft=None, counts=False):
        self.seen.append((now, draft, counts))
        raise ConflictError("nothing to tell")


@pytest.fixture
async def made(world, doc):
    world.what_ifs = Asked()
    moved: list[bool] = []
    one = LiveWeights(world, Head(world, doc, "dark"), lambda: moved.append(True))
    leave = world.hub.subscribe(lambda states, events: [
        one.changed(payload) for topic, payload in events
        if topic == "config" and payload["what"] == "weights"
    ])  # fmt: skip
    yield one, moved
    leave()
    one.close()


def _note(one: LiveWeights) -> dict[str, Any]:
    return dict(orjson.loads(one.editor.note))


def _send(one: LiveWeights, kind: str, **more: Any) -> None:
    one.editor._handle_msg({"type": kind, **more})


async def test_draft_differs_once_it_is_turned(made, world) -> None:
    one, moved = made
    assert not one.turned
    assert one.rank(world.evaluation()).weights.tolist() == world.weights.as_array().tolist()
    _send(one, "draft", values=world.weights.as_dict() | {"sar": 0.4}, n=1)
    assert one.turned
    assert moved == [True]
    assert one.rank(world.evaluation()).weights.tolist() == one.draft.as_array().tolist()
    assert world.weights.sar == 0.1
    _send(one, "draft", values=world.weights.as_dict(), n=2)
    assert not one.turned


async def test_history_is_asked_for_the_draft_and_counted_when_it_rests(
    made, world, doc, turn
) -> None:
    one, _ = made
    values = world.weights.as_dict() | {"sar": 0.4}
    _send(one, "draft", values=values, n=1)
    await turn(doc)
    now, draft, counts = world.what_ifs.seen[-1]
    assert now.tolist() == world.weights.as_array().tolist()
    assert draft.tolist() == one.draft.as_array().tolist()
    assert not counts
    _send(one, "draft", values=values, n=1, rest=True)
    await turn(doc)
    assert world.what_ifs.seen[-1][2]
    _send(one, "draft", values=world.weights.as_dict(), n=2, rest=True)
    await turn(doc)
    assert world.what_ifs.seen[-1][1:] == (None, False)
    assert orjson.loads(one.editor.what_if)["state"] == "missing"


async def test_draft_of_somebody_who_may_only_look_is_counted_nowhere(
    made, world, doc, turn
) -> None:
    one, _ = made
    one.head.who = Caller("vera", Role.VIEWER, "cookie")
    _send(one, "draft", values=world.weights.as_dict() | {"sar": 0.4}, n=1, rest=True)
    await turn(doc)
    assert world.what_ifs.seen
    assert not any(counts for _, _, counts in world.what_ifs.seen)


async def test_folded_picture_asks_for_nothing(made, world, doc, turn) -> None:
    one, _ = made
    one.editor.looked = False
    _send(one, "draft", values=world.weights.as_dict() | {"sar": 0.4}, n=1)
    await turn(doc)
    assert world.what_ifs.seen == []
    one.editor.looked = True
    await turn(doc)
    assert len(world.what_ifs.seen) == 1


async def test_weights_of_others_are_followed_or_asked_about(made, world, doc, turn) -> None:
    one, _ = made
    await world.apply_weights(world.weights.as_dict() | {"sar": 0.2, "smc": 0.1}, "api")
    await turn(doc)
    assert one.draft.sar == 0.2
    assert _note(one)["text"]["values"] == {"by": "api"}
    one.draft.update(sar=0.5)
    await world.apply_weights(world.weights.as_dict() | {"sar": 0.0, "smc": 0.3}, "api")
    await turn(doc)
    asked = _note(one)
    assert asked["conflict"]["values"] == {"by": "api"}
    assert not asked["asks"]  # nothing pops up under a hand that drags
    assert (one.draft.sar, one.editor.in_force["sar"]) == (0.5, 0.0)
    _send(one, "apply", values=one.draft.as_dict())
    await turn(doc)
    assert _note(one)["asks"]
    assert world.weights.sar == 0.0
    _send(one, "apply", values=one.draft.as_dict(), force=True)
    await turn(doc)
    assert world.weights.sar > 0.2
    assert _note(one)["conflict"] == ""


async def test_weights_applied_while_the_page_is_on_its_way_are_there_when_it_opens(
    world, doc, turn
) -> None:
    world.what_ifs = Asked()
    one = LiveWeights(world, Head(world, doc, "dark"), lambda: None)
    await world.apply_weights(world.weights.as_dict() | {"sar": 0.2, "smc": 0.1}, "api")
    one.open()
    assert (one.draft.sar, one.editor.in_force["sar"], one.turned) == (0.2, 0.2, False)
    _send(one, "apply", values=one.draft.as_dict() | {"sar": 0.1, "smc": 0.2})
    await turn(doc)
    assert _note(one)["conflict"] == ""
    assert world.weights.sar == pytest.approx(0.1)
    one.close()


async def test_a_draft_brought_back_does_not_hide_what_is_still_to_be_told(world, doc) -> None:
    one = LiveWeights(world, Head(world, doc, "dark"), lambda: None)
    before = world.weights.as_dict()
    _send(one, "draft", values=before | {"sar": 0.4}, n=1)
    told = {"value": before | {"sar": 0.2}, "version": 2, "by": "api"}
    world.weights.update(told["value"])
    world.weights_version = 2
    _send(one, "draft", values=before, n=2)  # before the news of version 2 have come
    one.changed(told)
    assert (one.draft.sar, one.editor.in_force["sar"]) == (0.2, 0.2)
    assert _note(one)["text"]["values"] == {"by": "api"}
    one.close()


async def test_presets_and_history_come_from_the_server(made, world, doc, turn) -> None:
    one, _ = made
    one.open()
    await turn(doc)
    assert [p["name"] for p in orjson.loads(one.editor.presets)] == list(PRESETS)
    _send(one, "save", name="mine", values=world.weights.as_dict())
    await turn(doc)
    assert "mine" in [p["name"] for p in orjson.loads(one.editor.presets)]
    _send(one, "history")
    await turn(doc)
    (row,) = orjson.loads(one.editor.versions)["rows"]
    assert (row["version"], row["by"], row["weights"]) == (1, "start", world.weights.as_dict())


async def test_nothing_holds_a_page_that_is_closed(world, doc, turn) -> None:
    world.what_ifs = Asked()
    one = LiveWeights(world, Head(world, doc, "dark"), lambda: None)
    one.open()
    one.close()
    await turn(doc)
    seen = weakref.ref(one)
    del one
    gc.collect()
    assert seen() is None
    assert not any(events for events in world.weights.param.watchers.values())
