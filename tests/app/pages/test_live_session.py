from dataclasses import replace

import numpy as np
import orjson
import pytest

from app.components.rows import FIELDS
from app.pages.live_session import LiveSession
from opportunity.feeds.status import FeedStatus
from opportunity.market.trust import N_FACTORS, PRICE


@pytest.fixture
async def session(world, doc, turn):
    made = LiveSession(world, doc, "", "1h", "dark")
    made.open()
    await turn(doc)
    yield made
    made.close()


def _rows(session):
    return [row[1] for row in orjson.loads(session.table.rows)["rows"]]


def _note(session):
    return orjson.loads(session.weights.editor.note)


async def test_open_page_shows_the_best_symbol(session, world) -> None:
    best = world.evaluation().rows(1)[0].symbol
    assert session.table.selected == session.chart.symbol == best
    assert _rows(session)[0] == best
    assert orjson.loads(session.why.state)["symbol"] == best
    assert session.chart.data.bars.symbol == best
    assert world.hub.n_subscribers == 1


async def test_prices_move_the_table_and_the_chart(session, world, doc, turn) -> None:
    world.move()
    await turn(doc)
    prices = orjson.loads(session.table.prices)
    assert prices == {s: pytest.approx(bar[3]) for s, bar in world.running.items()}
    assert session.head.badge.beat == world.now


async def test_closed_bars_bring_a_new_ranking_signals_and_chart(session, world, doc, turn) -> None:
    shown = session.chart.data.bars.time[-1]
    world.move()
    world.skip(3)
    world.close_bars("1h")
    await turn(doc)
    assert session.chart.data.bars.time[-1] > shown
    assert orjson.loads(session.feed.state)["count"] > 0


async def test_draft_moves_this_session_only(session, world, doc, turn) -> None:
    other = LiveSession(world, doc, "", "1h", "dark")
    other.open()
    before = (session.table.rows, other.table.rows, world.weights.as_dict())
    session.weights.editor._handle_msg({
        "type": "draft", "values": dict.fromkeys(world.weights.as_dict(), 0.0) | {"sar": 1.0},
    })
    assert session.table.rows != before[0]
    assert orjson.loads(session.table.rows)["draft"]
    assert (other.table.rows, world.weights.as_dict()) == before[1:]
    world.close_bars("1h")
    await turn(doc)
    assert orjson.loads(session.table.rows)["draft"]
    assert not orjson.loads(other.table.rows)["draft"]
    other.close()


async def test_apply_reaches_every_page(session, world, doc, turn) -> None:
    other = LiveSession(world, doc, "", "1h", "dark")
    other.open()
    values = world.weights.as_dict() | {"sar": 0.4}
    session.weights.editor._handle_msg({"type": "apply", "values": values})
    await turn(doc)
    active = world.weights.as_dict()
    assert active["sar"] == pytest.approx(0.4 / 1.3)
    for page in (session, other):
        assert orjson.loads(page.weights.editor.active) == pytest.approx(active)
        assert page.weights.draft.as_dict() == pytest.approx(active)
        assert not orjson.loads(page.table.rows)["draft"]
    assert "New weights" in orjson.loads(other.weights.editor.note)["text"]["text"]
    assert "Applied" in _note(session)["text"]["text"]
    other.close()


async def test_turned_draft_survives_and_its_user_is_asked(session, world, doc, turn) -> None:
    session.weights.draft.update(sar=0.5)
    theirs = world.weights.as_dict() | {"sar": 0.0, "smc": 0.3}
    await world.apply_weights(theirs, "api")
    await turn(doc)
    assert session.weights.draft.sar == 0.5
    assert _note(session)["conflict"]["values"] == {"by": "api"}
    session.weights.editor._handle_msg({"type": "apply", "values": session.weights.draft.as_dict()})
    await turn(doc)
    assert "version must be" in _note(session)["conflict"]["values"]["why"]
    assert world.weights.sar == 0.0
    session.weights.editor._handle_msg(
        {"type": "apply", "values": session.weights.draft.as_dict(), "force": True}
    )
    await turn(doc)
    assert world.weights.sar > 0.2
    assert _note(session)["conflict"] == ""


async def test_taking_theirs_ends_the_conflict(session, world, doc, turn) -> None:
    session.weights.draft.update(sar=0.5)
    await world.apply_weights(world.weights.as_dict() | {"sar": 0.0, "smc": 0.3}, "api")
    await turn(doc)
    session.weights.editor._handle_msg({"type": "draft", "values": world.weights.as_dict()})
    session.weights.editor._handle_msg(
        {"type": "apply", "values": world.weights.as_dict() | {"news": 0.13, "smc": 0.2}}
    )
    await turn(doc)
    assert world.weights.news == pytest.approx(0.13)


async def test_toggle_switches_the_agent_on_every_page(session, world, doc, turn) -> None:
    other = LiveSession(world, doc, "", "1h", "dark")
    other.open()
    session.head.agent._handle_msg({"enabled": False})
    await turn(doc)
    assert world.agent.enabled is False
    assert (session.head.agent.enabled, other.head.agent.enabled) == (False, False)
    assert orjson.loads(other.feed.state)["enabled"] is False
    other.close()


async def test_choice_in_one_place_is_the_choice_everywhere(session, doc, turn) -> None:
    session.table.selected = "LINK/USDT"
    session.chart.bar.timeframe = "15m"
    await turn(doc)
    assert (session.table.selected, session.table.timeframe) == ("LINK/USDT", "15m")
    assert session.chart.data.bars.symbol == "LINK/USDT"
    assert "15m" in str(orjson.loads(session.why.state)["facts"][0])
    session.feed._handle_msg({"symbol": "ETH/USDT"})
    assert session.table.selected == "ETH/USDT"
    session.feed._handle_msg({"symbol": "NOBODY/USDT"})
    assert session.chart.symbol == "ETH/USDT"


async def test_presets_are_kept_by_the_server(session, world, doc, turn) -> None:
    other = LiveSession(world, doc, "", "1h", "dark")
    other.open()
    session.weights.editor._handle_msg(
        {"type": "save", "name": "mine", "values": world.weights.as_dict()}
    )
    await turn(doc)
    assert "mine" in world.saved
    assert world.preset_by == "page"
    world.preset_by = ""
    for page in (session, other):
        assert "mine" in [p["name"] for p in orjson.loads(page.weights.editor.presets)]
    session.weights.editor._handle_msg({"type": "delete", "name": "mine"})
    await turn(doc)
    assert (world.saved, world.preset_by) == ({}, "page")
    assert "mine" not in [p["name"] for p in orjson.loads(other.weights.editor.presets)]
    other.close()


async def test_page_waits_for_a_market_that_warms_up(world, doc, turn, monkeypatch) -> None:
    with monkeypatch.context() as cold:
        cold.setattr(world, "evaluation", lambda: None)
        session = LiveSession(world, doc, "", "1h", "dark")
        session.open()
        assert _rows(session) == []
        await turn(doc)
    world.close_bars("1h")
    await turn(doc)
    assert _rows(session)
    assert session.chart.data is not None
    session.close()


async def test_line_to_the_market_is_told_while_nothing_comes_over_it(
    session, world, doc, turn
) -> None:
    assert session.head.line.said == "null"  # an invented market has none
    down = FeedStatus("down", "The exchange does not answer", world.now)
    world.hub.publish("feed", "", down)
    await turn(doc)
    assert orjson.loads(session.head.line.said)["label"] == "Feed: down"
    world.line = down
    assert orjson.loads(LiveSession(world, doc, "", "1h", "dark").head.line.said)["tone"] == "bad"


async def test_low_trust_is_shown_in_the_header_the_row_and_the_card(
    session, world, doc, turn
) -> None:
    told = orjson.loads(session.head.trust.state)
    assert (told["lowest"], told["vetoed"], told["symbols"]) == (1.0, 0, 6)
    assert orjson.loads(session.why.state)["trust"] == ""
    symbol = session.chart.symbol
    snapshot = world.snapshot()
    facts = np.zeros((*snapshot.trust.shape, N_FACTORS))
    facts[snapshot.symbols.index(symbol), :, PRICE] = 1
    world._snapshot = replace(snapshot, distrust=facts, trust=np.empty((0, 0)))
    world.hub.publish("scan", "", world.evaluation())
    await turn(doc)
    told = orjson.loads(session.head.trust.state)
    assert (told["lowest"], told["median"], told["vetoed"]) == (0.0, 1.0, 1)
    rows = {r[1]: dict(zip(FIELDS, r, strict=True))
            for r in orjson.loads(session.table.rows)["rows"]}
    assert rows[symbol]["trust"] == 0
    assert rows[symbol]["doubt"] == "the newest price is not confirmed"
    said = orjson.loads(session.why.state)["trust"]
    assert "the newest price is not confirmed" in str(said)


async def test_page_made_before_the_symbols_are_known_is_loaded_again(world, doc, turn) -> None:
    symbols, found = world.symbols, world.evaluation
    world.symbols, world.evaluation = (), lambda: None
    world.line = FeedStatus("connecting", "binance is being connected", 1)
    early = LiveSession(world, doc, "", "1h", "dark")
    early.open()
    await turn(doc)
    shown = orjson.loads(early.table.rows)
    assert (shown["rows"], shown["held_up"]) == ([], "")
    down = FeedStatus("down", "binance cannot be reached", 1, retry_at=1_767_614_400_000)
    world.line = down
    world.hub.publish("feed", "", down)
    await turn(doc)
    held_up = "Binance cannot be reached. It is asked again at 12:00:00 UTC."
    assert orjson.loads(early.table.rows)["held_up"] == held_up
    assert early.head.badge.epoch == world.epoch
    world.symbols, world.evaluation = symbols, found
    world.close_bars("1h")
    await turn(doc)
    assert early.head.badge.epoch == ""  # which the browser obeys
    assert early.table.selected == ""  # what its address asks for still counts
    early.close()


async def test_page_made_in_time_is_not_loaded_again(session, world, doc, turn) -> None:
    world.close_bars("1h")
    await turn(doc)
    assert session.head.badge.epoch == world.epoch
