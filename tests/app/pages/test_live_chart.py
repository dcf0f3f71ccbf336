import gc
import weakref
from dataclasses import replace

import orjson

from app.pages.live_chart import LiveChart, titles_of
from opportunity.detectors.news_inputs import NewsItem
from opportunity.errors import CoverageError


def _chart(world, doc, loaded):
    return LiveChart(world, doc, "BTC/USDT", "1h", lambda: "dark", lambda: loaded.append(1))


async def test_places_are_filled_when_the_data_has_come(world, doc, turn) -> None:
    loaded: list[int] = []
    part = _chart(world, doc, loaded)
    assert all(len(place) == 1 for place in part.places.values())  # what lies over the figures
    assert orjson.loads(part.live.state) == {}
    assert part.load()
    assert not part.load()  # one at a time
    await turn(doc)
    assert loaded == [1]
    assert all(len(place) == 2 for place in part.places.values())
    assert len(part.chart._source.data["time"]) == 300
    state = orjson.loads(part.live.state)
    assert (state["symbol"], state["timeframe"]) == ("BTC/USDT", "1h")
    assert state["closed"] == part.data.bars.time[-1] == part.chart._source.data["opened"][-1]


async def test_a_choice_made_meanwhile_is_loaded_next(world, doc, turn) -> None:
    part = _chart(world, doc, [])
    part.load()
    part.choose("ETH/USDT", "15m")
    await turn(doc)
    assert (part.data.bars.symbol, part.data.bars.timeframe) == ("ETH/USDT", "15m")


async def test_the_same_stream_is_not_loaded_too_often(world, doc, turn) -> None:
    part = _chart(world, doc, [])
    part.load()
    await turn(doc)
    assert not part.load()
    world.skip(3)
    assert part.load()


async def test_failure_is_survived_and_tried_again(world, doc, turn, monkeypatch) -> None:
    async def fail(*_):
        raise CoverageError("history must cover the chart, was empty")

    part = _chart(world, doc, [])
    with monkeypatch.context() as broken:
        broken.setattr(world, "chart", fail)
        part.load()
        await turn(doc)
    assert part.data is None
    assert "history must cover the chart" in orjson.loads(part.live.state)["error"]
    world.skip(3)
    assert part.load()
    await turn(doc)
    assert part.data is not None
    assert "error" not in orjson.loads(part.live.state)


async def test_another_symbols_chart_does_not_stand_in_for_one_that_failed(
    world, doc, turn, monkeypatch
) -> None:
    async def fail(*_):
        raise CoverageError("<b>no</b> history")

    part = _chart(world, doc, [])
    part.load()
    await turn(doc)
    monkeypatch.setattr(world, "chart", fail)
    world.skip(3)
    part.load()  # the same stream: what is shown is still true
    await turn(doc)
    assert part.data is not None
    part.symbol = "ETH/USDT"
    world.skip(3)
    part.load()
    await turn(doc)
    assert part.data is None
    told = orjson.loads(part.live.state)
    assert (told["symbol"], told["error"]) == ("ETH/USDT", "<b>no</b> history")  # a text node
    assert "models" not in told


async def test_overlays_can_be_switched_on_and_off(world, doc, turn) -> None:
    part = _chart(world, doc, [])
    part.load()
    await turn(doc)
    tables = part.chart._tables
    assert len(tables["marks"].data["x"]) > 0
    assert len(tables["dots"].data["x"]) == 0
    part.bar.shown = orjson.dumps(["levels", "sar"]).decode()
    assert len(tables["dots"].data["x"]) > 0
    assert len(tables["marks"].data["x"]) == 0
    part.bar.shown = orjson.dumps(["levels"]).decode()
    assert len(tables["dots"].data["x"]) == 0


async def test_closed_page_takes_no_chart(world, doc, turn) -> None:
    part = _chart(world, doc, [])
    part.load()
    part.close()
    await turn(doc)
    assert part.data is None
    assert not part.load()


async def test_titles_stand_at_the_bar_during_which_they_were_known(world) -> None:
    data = await world.chart("BTC/USDT", "1h")
    opened, closed = int(data.bars.time[10]), int(data.bars.close_time[10])

    def item(title: str, known: int, tone: float) -> NewsItem:
        return NewsItem(title, "Desk", tone, 0.6, 1.0, 0.4, 1, known, known)

    said = (
        item("too old", int(data.bars.time[0]) - 1, 0.5), item("first", opened, 0.2),
        item("mild", opened + 1, 0.1), item("strong", opened + 2, -0.9), item("x", opened + 3, 0.3),
        item("no tone", opened + 4, 0.0), item("next bar", closed, 0.4),
    )
    assert titles_of(replace(data, headlines=said)) == {
        opened: ["strong (Desk)", "x (Desk)", "first (Desk)"], closed: ["next bar (Desk)"],
    }


async def _loaded(world, doc, turn) -> LiveChart:
    part = _chart(world, doc, [])
    part.load()
    await turn(doc)
    world.move()
    return part


def _picture(part: LiveChart) -> dict:
    return orjson.loads(part.live.picture)


async def test_picture_is_seldom_while_the_browser_hears_prices_itself(world, doc, turn) -> None:
    part = await _loaded(world, doc, turn)
    pictures: list[str] = []
    part.live.param.watch(lambda event: pictures.append(event.new), "picture")
    for _ in range(5):  # its line is down: each price is told
        world.move()
        part.tick()
    assert len(pictures) == 5
    part.live.joined = True  # what was heard before this is in the picture
    assert part.bar.joined
    told = len(pictures)
    for _ in range(5):
        world.move()
        part.tick()
    assert len(pictures) == told
    world.skip(1.5)
    part.tick()
    assert len(pictures) == told + 1
    seen = orjson.loads(pictures[-1])
    assert seen["base"] == list(world.hub.latest("price", "BTC/USDT"))
    assert seen["forming"] == list(world.forming("BTC/USDT", "1h"))


async def test_figures_hold_closed_bars_only_and_are_not_sent_again_by_prices(
    world, doc, turn
) -> None:
    part = await _loaded(world, doc, turn)
    before = part.chart._source.data
    world.move()
    part.tick()
    assert part.chart._source.data is before
    assert int(before["opened"][-1]) == part.data.bars.time[-1]


async def test_loading_is_said_and_nothing_is_told_of_what_is_not_drawn(world, doc, turn) -> None:
    part = await _loaded(world, doc, turn)
    before = part.live.picture
    part.choose("ETH/USDT", "15m")
    assert orjson.loads(part.live.state)["loading"] is True
    part.tick()
    assert part.live.picture == before
    await turn(doc)
    assert _picture(part)["symbol"] == "ETH/USDT"


async def test_preview_is_looked_for_once_a_second_while_it_is_cheap(world, doc, turn) -> None:
    part = await _loaded(world, doc, turn)
    for _ in range(5):
        part.tick()
    assert world.previewed == 1
    assert _picture(part)["ahead"]["final"] is not None
    world.skip(61)  # however long the first one took
    part.tick()
    assert world.previewed == 2


async def test_dear_preview_is_looked_for_less_often(world, doc, turn, monkeypatch) -> None:
    ticks = iter((0.0, 0.005, 1.0, 1.0))
    part = await _loaded(world, doc, turn)
    monkeypatch.setattr("app.pages.live_chart.time.perf_counter", lambda: next(ticks))
    part.tick()
    world.skip(4)
    part.tick()  # 5 ms: at most every 5 s
    assert world.previewed == 1
    world.skip(2)
    part.tick()
    assert world.previewed == 2


async def test_address_chooses_the_overlays(world, doc, monkeypatch) -> None:
    monkeypatch.setattr("app.pages.live_chart.layers_in", lambda asked: ["sar"])
    assert orjson.loads(_chart(world, doc, []).bar.shown) == ["sar"]


async def test_nothing_is_left_of_a_closed_chart(world, doc, turn) -> None:
    part = await _loaded(world, doc, turn)
    part.close()
    left = weakref.ref(part)
    doc.clear()
    del part
    gc.collect()
    assert left() is None
