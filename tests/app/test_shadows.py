"""Challengers of a server: stored before they run, back after a restart, told and audited."""

import asyncio

import numpy as np
import pytest
from served import build, settings_of
from shadowed import MARKET, contest, wall

from app.audit import Audit
from app.shadows import Shadows
from opportunity.bus.memory import Hub
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import ConflictError
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.events import EventRepository
from opportunity.storage.failures import DatabaseError
from opportunity.storage.shadows import MOST_SHADOWS, ShadowRepository

BOLD = PRESETS["aggressive"]


class Running:
    """What is asked of an agent here."""

    time = 1_234

    def __init__(self, trading: object = "paper") -> None:
        self.trading = trading
        self.challengers: tuple = ()

    def set_challengers(self, challengers: tuple) -> None:
        self.challengers = challengers


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def agent() -> Running:
    return Running()


@pytest.fixture
async def make(engine, agent):
    def make(**more) -> Shadows:
        hub = Hub(asyncio.get_running_loop())
        audit = Audit(EventRepository(engine, wall), lambda: agent.time)
        kept = more.get("kept", ShadowRepository(engine, MARKET, wall))
        return Shadows(kept, more.get("agent", agent), audit, hub)

    return make


async def test_added_ones_run_and_come_back(make, agent) -> None:
    shadows = make()
    added = await shadows.add("bold", BOLD, "api", "an idea")
    await shadows.add("calm", PRESETS["balanced"], "python")
    assert added.shadow.name == "bold"
    assert [c.name for c in agent.challengers] == ["bold", "calm"]
    assert np.allclose(agent.challengers[0].weights, [BOLD[n] for n in DETECTOR_NAMES])
    other = Running()
    make(agent=other)
    assert [c.name for c in other.challengers] == ["bold", "calm"]
    assert [s.shadow.name for s in await shadows.all()] == ["bold", "calm"]


async def test_ended_ones_stay_known(make, agent) -> None:
    shadows = make()
    await shadows.add("bold", BOLD, "api")
    first = await shadows.remove("bold", "api")
    assert agent.challengers == ()
    assert first.shadow.stopped_at is not None
    assert (await shadows.remove("bold", "api")).shadow == first.shadow
    assert [s.shadow.name for s in await shadows.all()] == ["bold"]
    other = Running()
    make(agent=other)
    assert other.challengers == ()
    with pytest.raises(KeyError, match="Did you mean 'bold'"):
        await shadows.remove("bald", "api")


async def test_changes_are_written_down_and_told(make, engine, agent) -> None:
    shadows, heard = make(), []
    leave = shadows._hub.subscribe(lambda states, events: heard.extend(events))
    await shadows.add("bold", BOLD, "page", "an idea")
    await shadows.remove("bold", "api")
    await shadows.remove("bold", "api")
    events = EventRepository(engine, wall).read(kinds=["shadow"])
    assert [(e.body["what"], e.body["by"], e.time) for e in events] == [
        ("added", "page", 1_234), ("stopped", "api", 1_234),
    ]  # fmt: skip
    assert events[0].body["after"]["weights"] == BOLD
    async with asyncio.timeout(30):
        while len(heard) < 2:  # noqa: ASYNC110 - the hub delivers within its tick
            await asyncio.sleep(0.001)
    leave()
    assert [(t, p["what"], p["value"]["done"], p["by"]) for t, p in heard] == [
        ("config", "shadow", "added", "page"), ("config", "shadow", "stopped", "api"),
    ]  # fmt: skip


async def test_what_breaks_a_rule_changes_nothing(make, agent) -> None:
    shadows = make()
    with pytest.raises(ValueError, match="name must be 1 to 64"):
        await shadows.add("a/b", BOLD, "api")
    with pytest.raises(PermissionError):
        await shadows.add("balanced", BOLD, "api")
    with pytest.raises(ValueError, match="must sum to 1"):
        await shadows.add("bold", BOLD | {"smc": 0.9}, "api")
    with pytest.raises(ValueError, match="note must be at most 200"):
        await shadows.add("bold", BOLD, "api", "x" * 201)
    await shadows.add("bold", BOLD, "api")
    with pytest.raises(ConflictError, match="used before"):
        await shadows.add("bold", BOLD, "api")
    assert len(agent.challengers) == 1


async def test_only_so_many_at_the_same_time(make, agent) -> None:
    shadows = make()
    names = [f"n{i}" for i in range(MOST_SHADOWS + 4)]
    done = await asyncio.gather(
        *(shadows.add(n, BOLD, "api") for n in names), return_exceptions=True
    )
    refused = [d for d in done if isinstance(d, ConflictError)]
    assert len(refused) == 4
    assert len(agent.challengers) == MOST_SHADOWS


async def test_without_trading_nobody_is_challenged(make) -> None:
    with pytest.raises(ConflictError, match="agent must trade on paper"):
        await make(agent=Running(trading=None)).add("bold", BOLD, "api")


async def test_what_is_not_stored_does_not_run(make, agent, monkeypatch) -> None:
    shadows = make()

    def full(self, name, weights, note=""):
        raise DatabaseError("no room")

    monkeypatch.setattr(ShadowRepository, "add", full)
    with pytest.raises(DatabaseError):
        await shadows.add("bold", BOLD, "api")
    assert agent.challengers == ()


async def test_weights_of_another_version_are_left_out(make, engine) -> None:
    kept = ShadowRepository(engine, MARKET, wall)
    kept.add("old", {"astrology": 1.0})
    kept.add("bold", BOLD)
    agent = Running()
    make(kept=kept, agent=agent)
    assert [c.name for c in agent.challengers] == ["bold"]


async def test_comparison_and_story_are_those_of_stored_marks(make, engine) -> None:
    shadows = make()
    await shadows.add("bold", BOLD, "api")
    assert await shadows.champion() is None
    contest(engine, "bold", 40, 0.01)
    assert (await shadows.compare("bold")).verdict == "better"
    assert (await shadows.state("bold")).standing.equity > 10_000
    story = await shadows.story("bold")
    assert story.time.size == 161
    assert (await shadows.champion()).equity != 10_000.0
    for ask in (shadows.compare, shadows.story, shadows.state):
        with pytest.raises(KeyError):
            await ask("bald")


async def test_server_goes_on_with_them_after_a_restart(tmp_path) -> None:
    settings = settings_of(tmp_path, speed=7_200)
    services = build(settings)
    async with asyncio.timeout(60):
        await services.start()
        await services.shadows.add("bold", BOLD, "python")
        while not (state := await services.shadows.state("bold")).chapter:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await services.stop()
    services = build(settings)
    kept = await services.shadows.state("bold")
    assert kept.standing.begun == state.standing.begun
    assert kept.standing.time >= state.standing.time
    assert (kept.chapter, kept.shadow) == (state.chapter, state.shadow)
    async with asyncio.timeout(60):
        await services.start()
        (trader,) = services.agent._desk.shadows.accounts
        assert (trader.begun, trader.epoch) == (kept.standing.begun, kept.standing.epoch)
        while (await services.shadows.state("bold")).standing.time <= kept.standing.time:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert len((await services.shadows.story("bold")).chapters) == 1
        await services.shadows.remove("bold", "python")
        await services.stop()


async def test_who_added_and_stopped_them_is_in_the_audit(tmp_path):
    services = build(settings_of(tmp_path))
    await services.shadows.add("bold", BOLD, "page")
    await services.shadows.remove("bold", "api")
    told = await services.paper.audit()
    assert [(e.kind, e.body["what"], e.body["by"]) for e in told] == [
        ("shadow", "stopped", "api"), ("shadow", "added", "page"),
    ]  # fmt: skip
    await services.stop()
