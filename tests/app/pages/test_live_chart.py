import orjson

from app.pages.live_chart import LiveChart
from opportunity.errors import CoverageError


def _chart(world, doc, loaded):
    return LiveChart(world, doc, "BTC/USDT", "1h", lambda: "dark", lambda: loaded.append(1))


async def test_places_are_filled_when_the_data_has_come(world, doc, turn) -> None:
    loaded: list[int] = []
    part = _chart(world, doc, loaded)
    assert all(len(place) == 0 for place in part.places.values())
    assert part.load()
    assert not part.load()  # one at a time
    await turn(doc)
    assert loaded == [1]
    assert all(len(place) == 1 for place in part.places.values())
    assert len(part.chart._source.data["time"]) == 300


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
    world.skip(3)
    assert part.load()
    await turn(doc)
    assert part.data is not None


async def test_overlays_can_be_switched_off(world, doc, turn) -> None:
    part = _chart(world, doc, [])
    part.load()
    await turn(doc)
    tables = part.chart._tables
    assert len(tables["dots"].data["x"]) > 0
    part.bar.shown = orjson.dumps(["levels"]).decode()
    assert len(tables["dots"].data["x"]) == 0


async def test_closed_page_takes_no_chart(world, doc, turn) -> None:
    part = _chart(world, doc, [])
    part.load()
    part.close()
    await turn(doc)
    assert part.data is None
    assert not part.load()
