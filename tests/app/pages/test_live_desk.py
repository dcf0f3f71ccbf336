import asyncio
from types import SimpleNamespace

import orjson
import pytest

from app.auth.pages import NotAllowedError
from app.pages import live_desk
from app.pages.live_session import LiveSession
from app.universe import Choice
from opportunity.scoring.consensus import TIMEFRAME_WEIGHTS


@pytest.fixture
async def session(world, doc, turn):
    made = LiveSession(world, doc, "", "1h", "dark")
    made.open()
    await turn(doc)
    yield made
    made.close()


@pytest.fixture
def ask(doc, turn):
    async def press(tool, what, **detail):
        said = []
        tool._send_msg = said.append
        tool._handle_msg({"what": what, "n": 1, **detail})

        async def wait() -> None:
            while not said:
                await turn(doc)
                await asyncio.sleep(0.001)
            await turn(doc)

        await asyncio.wait_for(wait(), 10)
        return said[0]

    return press


def _state(tool):
    return orjson.loads(tool.state)


async def test_lists_are_kept_by_the_server_and_known_to_the_table(session, world, ask) -> None:
    lists = session.desk.lists
    assert _state(lists) == {"lists": [], "symbols": list(world.symbols)}
    answer = await ask(lists, "change", name=" mine ", add=["btc-usdt", "ETH/USDT", "BTCUSDT"])
    assert answer["error"] == ""
    assert world.watchlists.kept["mine"].symbols == ("BTC/USDT", "ETH/USDT")
    assert orjson.loads(session.table.lists) == {"mine": ["BTC/USDT", "ETH/USDT"]}
    world.watchlists.change("mine", ["SOL/USDT"])  # by somebody else, and this page does not know
    assert (await ask(lists, "change", name="mine", remove=["ETH/USDT"]))["error"] == ""
    assert orjson.loads(session.table.lists) == {"mine": ["BTC/USDT", "SOL/USDT"]}
    assert (await ask(lists, "delete", name="mine"))["error"] == ""
    assert orjson.loads(session.table.lists) == {}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"what": "change", "name": " ", "add": []}, "name must have"),
        ({"what": "change", "name": "x" * 65}, "name must have"),
        ({"what": "change", "name": "x", "add": ["?"]}, "symbol must"),
        ({"what": "change", "name": "x", "add": [f"S{i}/USDT" for i in range(501)]}, "at most"),
        ({"what": "sing", "name": "x"}, "what must be"),
    ],
)
async def test_wrong_lists_are_refused_and_nothing_is_kept(session, world, ask, asked, message):
    answer = await ask(session.desk.lists, asked.pop("what"), **asked)
    assert message in answer["error"]
    assert world.watchlists.kept == {}


async def test_price_alerts_are_set_touched_and_deleted(session, world, doc, turn, ask) -> None:
    tool = session.desk.alerts
    answer = await ask(tool, "add", symbol="btc-usdt", rule="above", price="5", note="n", again=0)
    assert answer["error"] == ""
    (line,) = _state(tool)["alerts"]
    assert (line["symbol"], line["rule"], line["price"], line["state"]) == (
        "BTC/USDT", "above", 5.0, "waiting",
    )  # fmt: skip
    world.alerts.prices.touch(1, world.now)
    world.hub.emit("event", SimpleNamespace(kind="price_alert"))
    await turn(doc)
    assert _state(tool)["alerts"][0]["state"] == "fired"
    assert (await ask(tool, "delete", id=1))["error"] == ""
    assert _state(tool)["alerts"] == []
    assert "must be there" in (await ask(tool, "delete", id=1))["error"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"symbol": "XYZ/USDT"}, "symbol must be a known name"), ({"rule": "near"}, "rule must be"),
        ({"price": "-1"}, "price must be a number > 0"), ({"symbol": ""}, "symbol must"),
    ],
)  # fmt: skip
async def test_wrong_alerts_are_refused(session, world, ask, changed, message) -> None:
    asked = {"symbol": "BTC/USDT", "rule": "below", "price": 1.0} | changed
    answer = await ask(session.desk.alerts, "add", **asked)
    assert message in answer["error"]
    assert world.alerts.prices.all() == []


async def test_a_choice_is_looked_at_before_it_is_kept(session, world, ask) -> None:
    tool = session.desk.universe
    assert _state(tool)["watched"] == list(world.symbols)
    answer = await ask(tool, "look", quote="usdt", top=2, symbols=[])
    assert [one["symbol"] for one in answer["found"]["symbols"]] == list(world.symbols[:2])
    assert answer["found"]["removed"] == list(world.symbols[2:])
    assert world.universe.stored is None
    await ask(tool, "choose", quote="", top=3, symbols=[])
    assert world.universe.stored == Choice("", 3)
    assert world.universe.by == "page"
    assert _state(tool)["chosen"]["top"] == 3
    assert "quote must be USDT" in (await ask(tool, "look", quote="EUR"))["error"]
    assert "top must be in" in (await ask(tool, "look", top=0))["error"]
    assert "quote must be letters" in (await ask(tool, "look", quote="<b>"))["error"]


async def test_timeframe_weights_change_the_ranking_of_everybody(session, world, doc, ask) -> None:
    other = LiveSession(world, doc, "", "1h", "dark")
    other.open()
    tool, before = session.desk.frames, session.table.rows
    usual = {one["frame"]: one["weight"] for one in _state(tool)["frames"]}
    assert usual == {f: TIMEFRAME_WEIGHTS[f] for f in world.timeframes}
    answer = await ask(tool, "apply", weights={"15m": 1, "1h": 0.0})
    assert answer["error"] == ""
    assert world.rules.timeframe_weights == {"15m": 1.0, "1h": 0.0}
    for page in (session, other):
        assert _state(page.desk.frames)["frames"][0]["weight"] == 1.0
        assert page.table.rows != before
    assert world.evaluation().timeframe_weights.tolist() == [1.0, 0.0]
    assert "must be a known name" in (await ask(tool, "apply", weights={"7m": 1}))["error"]
    assert "finite and >= 0" in (await ask(tool, "apply", weights={"1h": -1}))["error"]
    other.close()


async def test_who_may_only_look_changes_nothing(session, world, ask, monkeypatch) -> None:
    def refuse(*_):
        raise NotAllowedError("role must be trader, was viewer")

    monkeypatch.setattr(live_desk, "act", refuse)
    desk = session.desk
    for tool, what, detail in (
        (desk.lists, "change", {"name": "x", "add": []}), (desk.lists, "delete", {"name": "x"}),
        (desk.alerts, "add", {"symbol": "BTC/USDT", "rule": "above", "price": 1}),
        (desk.alerts, "delete", {"id": 1}), (desk.universe, "choose", {"top": 1}),
        (desk.frames, "apply", {"weights": {"1h": 1}}),
    ):
        assert "role must be trader" in (await ask(tool, what, **detail))["error"]
    kept = world.watchlists.kept, world.alerts.prices.kept, world.universe.stored
    assert kept == ({}, {}, None)
    assert (await ask(desk.universe, "look", top=1))["error"] == ""
