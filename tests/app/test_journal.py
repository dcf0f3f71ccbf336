import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from journals import HOUR, IDEA, NOW, START, FakeAgent, Room, WalkFeed, foretelling, ideas

from app.journal import MOST_KEPT
from app.journal_figures import verdict
from opportunity.errors import OpportunityError
from opportunity.live.journal import Journal
from opportunity.scoring.aftermath import HORIZONS
from opportunity.storage.decisions import Chosen
from opportunity.storage.events import EventRepository


@pytest.fixture
async def room(tmp_path):
    made: list[Room] = []

    def build(candidates=()) -> Room:
        made.append(Room(tmp_path, candidates))
        return made[-1]

    yield build
    for one in made:
        await one.close()


async def test_candidates_are_judged_and_told(room) -> None:
    one = room(ideas(50))
    assert (await one.service.tally()).judged == dict.fromkeys(HORIZONS, 0)
    await one.judged()
    tally = await one.service.tally()
    assert tally.n_candidates == 100
    assert tally.judged == dict.fromkeys(HORIZONS, 100)
    page = await one.service.decisions(Chosen(symbol="ETH/USDT"), limit=5)
    assert [len(d.outcomes) for d in page.decisions] == [len(HORIZONS)] * 5
    samples, gates = await one.service.gates(24)
    assert (len(samples), [g.name for g in gates]) == (100, ["entered"])
    assert (one.service.error, one.service.timeframe) == ("", "1h")


async def test_answers_are_kept_until_there_are_new_outcomes(room) -> None:
    one = room(ideas(20))
    calls: list[int] = []

    def make(samples) -> int:
        calls.append(len(samples))
        return len(samples)

    async def ask() -> int:
        return (await one.service.figures("n", make, 24))[1]

    assert await asyncio.gather(ask(), ask(), ask()) == [0, 0, 0]
    assert calls == [0]
    await one.judged()
    assert await ask() == 40
    for since in range(3 * MOST_KEPT):
        await one.service.figures("n", make, 24, since)
    assert len(one.service._kept) == MOST_KEPT


async def test_an_answer_that_fails_is_not_kept(room) -> None:
    one = room(ideas(2))

    def broken(_):
        raise OpportunityError("no")

    for _ in range(2):
        with pytest.raises(OpportunityError, match="no"):
            await one.service.figures("n", broken, 24)
    assert one.service._kept == {}
    samples, told = await one.service.figures("n", lambda s: verdict(s, s.side > 0, "x"), 24)
    assert (len(samples), told.hit_rate.n) == (0, 0)


async def test_a_detector_that_fades_is_in_the_log_and_told_once(room, tmp_path) -> None:
    """From the bars to the event: it foretells the next day until hour 1,500."""
    feed = WalkFeed(FakeAgent())
    one = room(foretelling(2_400, feed, lambda hour: 0.75 if hour < 1_500 else 0.0))
    # The alarm comes some windows after the fall, and is told while it is new: go on by windows.
    one.agent.time = START + 1_500 * HOUR
    await one.judged()
    async with asyncio.timeout(20):
        while not one.events and one.agent.time < START + 2_380 * HOUR:
            one.agent.time += 96 * HOUR
            before = one.service._journal.n_judged
            one.service._journal.heard(one.agent.time)
            while one.service._journal.n_judged == before:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
    told = {event.body.get("detector") for event in one.events}
    assert "score" in told
    assert all(event.kind == "alert" for event in one.events)
    kept = EventRepository(one.engine, lambda: 0).read(kinds=["alert"])
    assert {e.key for e in kept} == {e.key for e in one.events}
    assert len({e.key for e in one.events}) == len(one.events)
    n = len(one.events)
    await one.service.close()
    one.service = one.made()
    keyed = {e.key for e in one.events}
    one.service.start()
    await asyncio.sleep(0.05)
    assert len(one.events) == n
    assert {e.key for e in EventRepository(one.engine, lambda: 0).read(kinds=["alert"])} == keyed


async def test_a_calibration_that_is_off_is_learned_anew_and_stays_off(room) -> None:
    feed = WalkFeed(FakeAgent())
    made = [c._replace(success=0.95) for c in foretelling(1_200, feed, lambda _: 0.0)]
    one = room(made)
    await one.judged()
    async with asyncio.timeout(20):
        while not one.agent.relearned:  # noqa: ASYNC110 - it is told by the agent alone
            await asyncio.sleep(0.01)
    assert one.agent.relearned == 1
    assert [e.body["what"] for e in one.events] == ["calibration"]
    assert one.service.alarms.since == NOW
    stored = one.memory.settings.read()["trial of simulated-7"]
    assert stored == {"since": NOW, "off": 77}
    await one.service.close()
    one.agent.serves = SimpleNamespace(known=77)  # the saved one, after a restart
    one.service = one.made()
    one.service.start()
    assert one.agent.relearned == 2
    assert one.service.alarms.since == NOW
    await one.service.close()
    one.agent.serves = SimpleNamespace(known=78)  # somebody has calibrated since
    one.service = one.made()
    one.service.start()
    assert one.agent.relearned == 2


async def test_a_scan_that_passes_a_decision_close_wakes_it(room) -> None:
    one = room([IDEA])
    one.agent.time = START + HOUR
    one.service.start()
    one.agent.time = START + 4 * HOUR
    evaluation = SimpleNamespace(snapshot=SimpleNamespace(time=one.agent.time))
    one.hub.publish("scan", "", evaluation)
    async with asyncio.timeout(10):
        while not one.service._journal.n_judged:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)
    assert (await one.service.tally()).judged[4] == 1


async def test_a_journal_that_has_stopped_says_so(room, monkeypatch) -> None:
    one = room([IDEA])

    async def breaks(*_):
        raise RuntimeError("odd")

    monkeypatch.setattr(Journal, "catch_up", breaks)
    one.service.start()
    assert one.service.error == ""
    await asyncio.wait([one.service._task], timeout=10)
    assert one.service.error.startswith("the journal has stopped")
    await one.service.close()


async def test_starting_and_closing_twice_is_as_once(room) -> None:
    one = room()
    await one.service.close()
    one.service.start()
    task = one.service._task
    one.service.start()
    assert one.service._task is task
    await one.service.close()
    await one.service.close()
    assert one.hub.n_subscribers == 1
    assert task.cancelled()


async def test_walks_are_what_the_candidates_were_made_for() -> None:
    feed = WalkFeed(FakeAgent())
    made = foretelling(500, feed, lambda _: 1.0)[:500]
    bars = feed.bars["BTC/USDT"]
    assert bars.close_time[0] == START
    moves = bars.close[24:524] - bars.close[:500]
    assert np.corrcoef(moves, [c.net for c in made])[0, 1] > 0.95
