"""One Research page over a small market: what it asks for, shows, and leaves behind."""

import asyncio
from datetime import UTC, datetime

import orjson
import pytest

from app.backtests import Backtests
from app.pages.research_session import GONE, INSIDE, WORDS, ResearchSession
from opportunity.backtest.trials import MemoryTrials

HOUR = 3_600_000


class Bars:
    """The world's bars, as backtests load them."""

    def __init__(self, world) -> None:
        self.world = world

    def load(self, symbol, timeframe, start, end):
        return self.world.bars[symbol, timeframe]

    def records(self, bars):
        return []

    def span(self, symbol, timeframe):
        bars = self.world.bars[symbol, timeframe]
        return int(bars.time[0]), int(bars.close_time[-1])


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1e3, UTC).isoformat()


@pytest.fixture
async def world(world):
    world.backtests = Backtests(lambda exchange: Bars(world), world.hub, MemoryTrials(), None)
    yield world
    await world.backtests.close()


@pytest.fixture
def asked(world):
    bars = world.bars["BTC/USDT", "1h"]
    return {
        "symbol": "BTC/USDT", "timeframe": "1h", "timeframes": ["1h"],
        "start_date": _date(int(bars.time[150])), "end_date": _date(int(bars.close_time[-1])),
        "rules": {"min_score": 0.52, "min_confidence": 0.01},
    }


@pytest.fixture
async def session(world, doc, turn):
    made = ResearchSession(world, doc, "", "dark")
    made.open()
    await turn(doc)
    yield made
    made.close()


async def _until(doc, turn, told) -> None:
    for _ in range(6_000):  # a machine without warm kernels compiles for a while
        await turn(doc)
        if told():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


def _state(session):
    return orjson.loads(session.form.state)


def run(session, market, **more):
    asked = {"kind": "backtest", "market": market} | more
    session.form._handle_msg({"type": "run", "asked": asked})


async def test_form_offers_the_market(session, world) -> None:
    offered = orjson.loads(session.form.offered)
    assert offered["symbols"] == list(world.symbols)
    assert "balanced" in offered["presets"]
    assert world.hub.n_subscribers == 1


async def test_a_preset_that_is_saved_meanwhile_is_offered(session, world, doc, turn) -> None:
    world.saved["mine"] = dict(world.presets()[1].weights)
    world.hub.emit("config", {"what": "preset", "value": {"name": "mine"}, "version": None,
                              "by": "anna", "ts": 1})  # fmt: skip
    await turn(doc)
    assert "mine" in orjson.loads(session.form.offered)["presets"]


@pytest.mark.filterwarnings("default")
async def test_run_shows_words_then_charts_and_follows_the_theme(
    session, world, doc, turn, asked
) -> None:
    preset = world.presets()[1]
    assert preset.weights != world.weights.as_dict()
    run(session, asked, preset=preset.name)
    assert _state(session)["state"] in ("queued", "running")
    await _until(doc, turn, lambda: session.summary.state != "{}")
    await _until(doc, turn, lambda: session.picture.charts.item != "")
    assert session.picture.charts.note == ""
    told = orjson.loads(session.summary.state)
    assert told["title"] == "BTC/USDT"
    assert told["id"] == _state(session)["id"]
    assert orjson.loads(session.trades.rows)["total"] > 0
    dark = session.picture.charts.item
    assert "#151a21" in dark
    job = world.backtests.jobs.find(told["id"])
    assert job.about["weights"] == preset.weights

    session.trades._handle_msg({"trade": int(job.result.result.trades["number"][0])})
    view = orjson.loads(session.picture.charts.view)
    assert view["start"] < job.result.result.trades["opened"][0] < view["end"]
    session.trades._handle_msg({"trade": 10**6})
    assert orjson.loads(session.picture.charts.view) == view

    session.head.theme.theme = "light"
    await _until(doc, turn, lambda: session.picture.charts.item != dark)
    assert "#151a21" not in session.picture.charts.item


@pytest.mark.parametrize(("change", "told"), [
    ({"symbol": "BTC/EUR"}, "symbol must be one that is watched here"),
    ({"start_date": "soon"}, "start_date: "),
    ({"fee": 0.5}, "fee: "),
    ({"fee": None}, "fee: "),
    ({"end_date": "2020-01-01"}, "end_date must be later"),
    ({"nonsense": 1}, "nonsense: "),
])
async def test_nonsense_is_refused_in_words(session, asked, change, told) -> None:
    run(session, asked | change)
    state = _state(session)
    assert state["state"] == "refused"
    assert told in state["error"]


async def test_preset_that_is_gone_is_told(session, asked) -> None:
    run(session, asked, preset="balancd")
    assert "preset must be a known name" in _state(session)["error"]
    assert "balanced" in _state(session)["error"]


async def test_missing_history_is_told(session, world, doc, turn, asked) -> None:
    begin = _date(int(world.bars["BTC/USDT", "1h"].time[0]))
    run(session, asked | {"start_date": begin})
    await _until(doc, turn, lambda: _state(session)["state"] == "failed")
    assert "warm-up" in _state(session)["error"]
    assert session.summary.state == "{}"


async def test_cancel_stops_a_job_that_waits(session, world, doc, turn, asked) -> None:
    first = world.backtests.jobs.submit("backtest", {}, lambda progress: _busy(progress))
    run(session, asked)
    assert _state(session)["place"] == 1
    session.form._handle_msg({"type": "cancel"})
    assert _state(session)["state"] == "cancelled"
    world.backtests.jobs.cancel(first)
    await world.backtests.jobs.wait(first, 5)


def _busy(progress) -> None:
    while True:
        progress.check()


async def test_result_can_be_opened_again_by_its_address(session, world, doc, turn, asked) -> None:
    run(session, asked)
    await _until(doc, turn, lambda: session.summary.state != "{}")
    other = ResearchSession(world, doc, _state(session)["id"], "dark")
    other.open()
    await _until(doc, turn, lambda: other.summary.state != "{}")
    assert other.summary.state == session.summary.state
    filled = orjson.loads(other.form.filled)
    assert (filled["kind"], filled["symbols"]) == ("backtest", ["BTC/USDT"])
    other.close()
    gone = ResearchSession(world, doc, "no-such-job", "dark")
    gone.open()
    assert orjson.loads(gone.form.state)["error"] == GONE
    gone.close()


async def test_closed_page_leaves_the_hub_and_its_job_goes_on(world, doc, turn, asked) -> None:
    made = ResearchSession(world, doc, "", "dark")
    made.open()
    run(made, asked)
    job = world.backtests.jobs.all()[-1]
    made.close()
    assert world.hub.n_subscribers == 0
    assert await world.backtests.jobs.wait(job, 10)
    await turn(doc)
    assert job.state == "done"
    assert made.summary.state == "{}"


async def test_news_keep_the_header_alive(session, world, doc, turn) -> None:
    world.skip(3)
    world.move()
    await turn(doc)
    assert session.head.badge.beat == world.now
    await world.set_enabled(False, "test")
    await turn(doc)
    assert session.head.agent.enabled is False


SEARCH = {"method": "random", "n": 12, "objective": "sharpe", "least_trades": 0}


async def test_sweep_is_shown_and_one_of_its_vectors_tested(
    session, world, doc, turn, asked
) -> None:
    run(session, asked, kind="sweep", search=SEARCH)
    await _until(doc, turn, lambda: session.studies["sweep"].state != "{}")
    told = orjson.loads(session.studies["sweep"].state)
    assert told["judged"] == 12
    assert orjson.loads(session.summary.shown)["kind"] == "sweep"
    session.studies["sweep"]._handle_msg({"test": 2})
    await _until(doc, turn, lambda: session.summary.state != "{}")
    job = world.backtests.jobs.find(orjson.loads(session.summary.shown)["id"])
    assert job.kind == "backtest"
    assert job.about["weights"] == told["best"][2]["weights"]
    runs = orjson.loads(session.runs.state)
    assert [one["kind"] for one in runs["runs"]] == ["backtest", "sweep"]
    assert runs["shown"] == job.id

    session.runs._handle_msg({"open": told["id"]})
    assert orjson.loads(session.summary.shown)["kind"] == "sweep"
    assert orjson.loads(session.form.filled)["n"] == 12
    session.studies["sweep"]._handle_msg({"test": 10**6})
    assert "row must be in" in _state(session)["error"]


@pytest.mark.parametrize(("kind", "more"), [
    ("walk_forward", {"search": SEARCH, "folds": {"n": 2, "train": 0.5, "anchored": True}}),
    ("calibration", {"method": "isotonic"}), ("surface", {}),
])
async def test_every_question_has_its_answer(session, doc, turn, asked, kind, more) -> None:
    run(session, asked, kind=kind, **more)
    await _until(doc, turn, lambda: session.studies[kind].state != "{}")
    told = orjson.loads(session.studies[kind].state)
    shown = orjson.loads(session.summary.shown)
    assert (shown["kind"], shown["id"]) == (kind, told["id"])
    assert told["simulated"] is True
    assert _state(session)["state"] == "done"


async def test_result_that_comes_late_does_not_replace_another(session, doc, turn, asked) -> None:
    run(session, asked, kind="surface")
    first = session._job
    await _until(doc, turn, lambda: session.studies["surface"].state != "{}")
    session.studies["surface"].state = "{}"
    session._shown = None
    session._studied(first, "late")
    await session._word(first)
    await turn(doc)
    assert session.studies["surface"].state == "{}"


async def test_result_that_cannot_be_worded_is_told(session, doc, turn, asked, monkeypatch) -> None:
    def fail(id, found):
        raise ZeroDivisionError

    monkeypatch.setitem(WORDS, "surface", fail)
    run(session, asked, kind="surface")
    await _until(doc, turn, lambda: _state(session)["state"] == "refused")
    assert _state(session)["error"] == INSIDE
