import asyncio
import gc
import weakref

import numpy as np
import pytest
from bokeh.document import Document

from app.pages.live_what_if import AGAIN_S, LiveWhatIf
from app.what_if import Compared
from opportunity.backtest.sleeves import SleevesRun
from opportunity.errors import CoverageError
from opportunity.market.timeframe import DAY_MS, HOUR_MS
from opportunity.trading.setup import TradeSetup

TIME = 50 * DAY_MS + HOUR_MS * np.arange(1, 481)


class Sleeves:
    setup, source, symbols, timeframes = TradeSetup(), "simulated", ("A/USDT",), ("1h",)
    exists = np.ones(9, np.bool_)


def _ran(weights) -> SleevesRun:
    drift = np.arange(TIME.size) * weights[0] / TIME.size
    return SleevesRun(TIME, 10_000 * (1 + drift), 10_000.0, 3)


class Answers:
    """Answers when the test says so, and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, bool]] = []
        self.go = asyncio.Event()
        self.fails: Exception | None = None

    async def compare(self, now, draft=None, counts=False) -> Compared:
        self.asked.append((float("nan") if draft is None else float(draft[0]), counts))
        await self.go.wait()
        if self.fails is not None:
            raise self.fails
        other = None if draft is None else _ran(draft)
        return Compared(Sleeves(), _ran(now), other, None, len(self.asked))


@pytest.fixture
async def made(world, doc):
    world.what_ifs = Answers()
    drawn: list[dict] = []
    draft = np.full(9, 0.5)
    one = LiveWhatIf(world, doc, lambda: (np.full(9, 0.1), draft.copy()), drawn.append)
    one.turn = lambda value: draft.fill(value)
    yield one, drawn, world.what_ifs
    one.close()


async def _run(doc: Document, answers: Answers, turn) -> None:
    answers.go.set()
    await turn(doc)


async def test_page_is_told_that_history_is_read_and_then_what_came_of_it(made, doc, turn) -> None:
    one, drawn, answers = made
    one.open()
    assert drawn == [{"state": "waiting"}]
    assert len(doc.session_callbacks) == 1  # the page comes first
    await _run(doc, answers, turn)
    assert drawn[-1]["state"] == "ready"
    assert drawn[-1]["draft"]["earned"] == pytest.approx(0.5 * 479 / 480)


async def test_newest_draft_wins_and_nothing_queues_up(made, doc, turn) -> None:
    one, drawn, answers = made
    first = None
    one.ask()
    (callback,) = doc.session_callbacks
    doc.callbacks.remove_session_callback(callback)
    first = asyncio.ensure_future(callback.callback())
    await asyncio.sleep(0)
    for value in (0.6, 0.7, 0.8):
        one.turn(value)
        one.ask(counts=value == 0.7)
    assert doc.session_callbacks == []
    answers.go.set()
    await first
    await turn(doc)
    assert answers.asked == [(0.5, False), (0.8, True)]
    assert drawn[-1]["draft"]["earned"] == pytest.approx(0.8 * 479 / 480)


async def test_reason_is_told_where_there_is_no_history(made, doc, turn) -> None:
    one, drawn, answers = made
    answers.fails = CoverageError("bars must be there, were not")
    one.ask()
    await _run(doc, answers, turn)
    assert drawn == [{"state": "missing", "reason": "bars must be there, were not"}]
    answers.fails = None
    one.ask()
    await turn(doc)
    assert drawn[-1]["state"] == "ready"


async def test_nothing_is_asked_while_nobody_looks(made, doc, turn) -> None:
    one, drawn, answers = made
    one.want(False)
    one.ask()
    await _run(doc, answers, turn)
    assert (answers.asked, drawn) == ([], [])
    one.want(True)
    await turn(doc)
    assert len(answers.asked) == 1


async def test_old_answers_are_asked_again_as_the_market_goes_on(made, doc, turn, world) -> None:
    one, _, answers = made
    one.ask()
    await _run(doc, answers, turn)
    one.tick()
    await turn(doc)
    assert len(answers.asked) == 1
    world.skip(AGAIN_S + 1)
    one.tick()
    await turn(doc)
    assert len(answers.asked) == 2


async def test_closed_page_asks_and_draws_nothing_and_is_let_go(world, doc, turn) -> None:
    world.what_ifs = Answers()
    drawn: list[dict] = []
    one = LiveWhatIf(world, doc, lambda: (np.ones(9), None), drawn.append)
    one.ask()
    one.close()
    await _run(doc, world.what_ifs, turn)
    one.ask()
    one.open()
    await turn(doc)
    assert drawn == []
    seen = weakref.ref(one)
    del one
    gc.collect()
    assert seen() is None
