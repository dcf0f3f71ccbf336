import asyncio

import orjson
import pytest
from builders import random_bars

import opportunity as op
from app.backtests import Ran
from app.components.linked_charts import DRAWING, EMPTY
from app.jobs import Job
from app.pages import research_picture
from app.pages.research_picture import ResearchPicture


@pytest.fixture(scope="module")
def job():
    found = op.backtest(random_bars(300), signal=[1.0, 0.0, -1.0] * 100)
    return Job("abc", 0, "backtest", {}, 0, state="done", result=Ran(None, found))


async def _until(doc, turn, told) -> None:
    for _ in range(1_000):
        await turn(doc)
        if told():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


@pytest.fixture
def slow(monkeypatch):
    """Figures that say which theme they were asked for."""
    monkeypatch.setattr(research_picture, "figures_of", lambda job, theme: f"{job.id} {theme}")


async def test_words_come_before_the_charts(job, doc, turn, slow) -> None:
    told = []
    picture = ResearchPicture(doc, lambda: "dark", lambda words: told.append(picture.charts.note))
    picture.show(job)
    await _until(doc, turn, lambda: picture.charts.item)
    assert told == [DRAWING]
    assert (picture.charts.item, picture.charts.note) == ("abc dark", "")


async def test_theme_that_changes_meanwhile_is_drawn_too(job, doc, turn, slow) -> None:
    themes, told = ["dark"], []
    picture = ResearchPicture(doc, lambda: themes[-1], told.append)
    picture.show(job)
    themes.append("light")
    picture.wear()
    await _until(doc, turn, lambda: picture.charts.item == "abc light")
    assert len(told) == 1


async def test_failure_is_said_and_the_next_result_is_drawn(
    job, doc, turn, slow, monkeypatch
) -> None:
    def fail(job):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(research_picture, "words_of", fail)
        picture = ResearchPicture(doc, lambda: "dark", lambda words: None)
        picture.show(job)
        await _until(doc, turn, lambda: picture.charts.note == EMPTY)
    other = Job("next", 1, "backtest", {}, 0, state="done", result=job.result)
    picture.show(other)
    await _until(doc, turn, lambda: picture.charts.item == "next dark")


async def test_closed_picture_draws_nothing(job, doc, turn, slow) -> None:
    told = []
    picture = ResearchPicture(doc, lambda: "dark", told.append)
    picture.show(job)
    picture.close()
    await turn(doc)
    assert (told, picture.charts.item) == ([], "")
    picture.look_at(0)
    assert picture.charts.view == ""


async def test_view_moves_around_a_trade(job, doc, slow) -> None:
    picture = ResearchPicture(doc, lambda: "dark", lambda words: None)
    picture.show(job)
    trade = job.result.result.trades[3]
    picture.look_at(int(trade["number"]))
    view = orjson.loads(picture.charts.view)
    assert view["start"] == trade["opened"] - 20 * 3_600_000
    assert view["end"] == trade["closed"] + 20 * 3_600_000
