import asyncio
import contextlib
import threading
from dataclasses import replace

import numpy as np
import pytest

from opportunity.bus.memory import Hub
from opportunity.feeds.base import Closed, Corrected, Forming
from opportunity.live import core as module
from opportunity.live import state, warming
from opportunity.live.config import AgentConfig
from opportunity.live.core import Core
from opportunity.live.notes import NoteKeeper
from opportunity.market.bars import Bar
from opportunity.market.notes import BarNote
from opportunity.market.observations import Funding, Headline, Heartbeat, by_availability
from opportunity.market.timeframe import HOUR_MS
from opportunity.market.trust import Faults
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules

FRAMES = ("1h", "4h", "1d")


def config(version: int = 1, enabled: bool = True, interval_ms: int = 60_000, **weights: float):
    return AgentConfig(
        version, enabled, interval_ms, Weights(**weights).as_array(),
        ScanRules(min_volume_usd=0).record(),
    )


async def until(condition, timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the core tells nobody of each of its steps
            await asyncio.sleep(0.001)


def make(feed, state=None, hub=None, **more) -> Core:
    return Core(feed, FRAMES, hub, state, config(**more))


@contextlib.asynccontextmanager
async def running(core: Core):
    """Run a core on this loop until the block ends."""
    ready = asyncio.Event()
    core.on_ready = lambda error=None: ready.set()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(core.run())
        await ready.wait()
        yield core
        core.stop()


@pytest.fixture
def feed(scripted):
    return scripted.ScriptedFeed()


def closes(core: Core) -> int:
    return int(core.latest.closed[0, 0])


# -- the unfinished bar ------------------------------------------------------------------------


def forming(feed, bar: int, price: float, rows=(0,)) -> Forming:
    opened = int(feed.bars[0].time[bar])
    values = np.array([[price, price + 2, price - 2, price + 1, 5.0]] * len(rows))
    return Forming(opened + 60_000, np.array(rows), np.full(len(rows), opened), values)


def test_nothing_is_unfinished_before_the_warm_up(feed) -> None:
    core = make(feed)
    assert core.forming(feed.symbols[0], "1h") is None
    assert core.time == 0
    assert core.latest is None


async def test_running_bar_is_part_of_every_longer_one(feed) -> None:
    async with running(make(feed)) as core:
        feed.put(5_500)
        feed.events.put_nowait(forming(feed, 5_501, 1_000.0))
        await until(lambda: feed.symbols[0] in core._prices and core.time > feed.clock.now())
        await until(lambda: core._prices[feed.symbols[0]][1] == 1_000.0)
        opened, first = int(feed.bars[0].time[5_501]), feed.bars[0][5_500]
        assert core.forming(feed.symbols[0], "1h") == (
            opened, 1_000.0, 1_002.0, 998.0, 1_001.0, 5.0,
        )
        assert core.forming(feed.symbols[0], "4h") == (
            first.time, first.open, 1_002.0, first.low, 1_001.0, first.volume + 5,
        )
        assert core.forming(feed.symbols[1], "1h") is None  # no print yet
        assert core.forming(feed.symbols[1], "4h") == feed.bars[1][5_500]


async def test_bar_that_has_closed_is_not_counted_twice(feed) -> None:
    async with running(make(feed)) as core:
        feed.events.put_nowait(forming(feed, 5_500, 1_000.0))
        feed.put(5_500)
        await until(lambda: core.time > feed.clock.now())
        assert core.forming(feed.symbols[0], "4h") == feed.bars[0][5_500]
        assert core.forming(feed.symbols[0], "1h") is None


async def test_running_bar_begins_a_longer_one(feed) -> None:
    async with running(make(feed)) as core:  # the next four hours begin with bar 5500
        feed.events.put_nowait(forming(feed, 5_500, 1_000.0))
        await until(lambda: feed.symbols[0] in core._prices)
        bar = core.forming(feed.symbols[0], "4h")
        assert bar == Bar(int(feed.bars[0].time[5_500]), 1_000.0, 1_002.0, 998.0, 1_001.0, 5.0)


async def test_what_is_not_watched_has_no_unfinished_bar(feed) -> None:
    async with running(make(feed)) as core:
        feed.put(5_500)
        await until(lambda: core.time > feed.clock.now())
        assert core.forming("NONE/USDT", "4h") is None
        assert core.forming(feed.symbols[0], "2h") is None


# -- what is told -------------------------------------------------------------------------------


async def test_hub_hears_prices_signals_and_rankings(feed) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    heard: dict[tuple[str, str], object] = {}
    hub.subscribe(lambda states, events: heard.update(states))
    async with running(make(feed, hub=hub)) as core:
        await until(lambda: ("signal", feed.symbols[1]) in heard)
        heard.clear()
        feed.put(5_500, rows=[0])
        await until(lambda: ("scan", "") in heard)
        assert heard["price", feed.symbols[0]] == tuple(feed.bars[0][5_500])
        assert heard["scan", ""] is core.evaluation
        assert ("signal", feed.symbols[0]) in heard
        assert ("signal", feed.symbols[1]) not in heard  # none of its bars closed


async def test_off_is_silent_but_stays_up_to_date(feed) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    heard: set[str] = set()
    hub.subscribe(lambda states, events: heard.update(topic for topic, _ in states))
    async with running(make(feed, hub=hub, enabled=False)) as core:
        await until(lambda: "scan" in heard)  # of the start
        heard.clear()
        scans = core._n_scans
        feed.put(5_500)
        await until(lambda: closes(core) == feed.bars[0].time[5_501])
        await until(lambda: "price" in heard)
        assert heard == {"price"}
        assert core._n_scans == scans
        assert core.evaluation.snapshot is core.latest


async def test_closed_bar_does_not_put_the_heartbeat_off(feed, monkeypatch) -> None:
    monkeypatch.setattr(module, "REPORT_EVERY_S", 0.0)
    told = []
    core = make(feed, interval_ms=60_000)
    core.reporter = told.append
    async with running(core):
        await until(lambda: core._beat_at)
        core._beat_at -= 59.0  # as if it were 59 seconds later
        feed.put(5_500)
        await until(lambda: told[-1].time == feed.bars[0].time[5_501])
    first, later = told[0], told[-1]
    assert first.next_at == first.time + 60_000
    assert later.time <= later.next_at <= later.time + 1_000


async def test_new_weights_rank_again_also_while_off(feed) -> None:
    async with running(make(feed, enabled=False)) as core:
        core.configure(config(2, False, sar=1.0))
        await until(lambda: core.evaluation.weights[5] == 1.0)


async def test_config_set_while_it_ranks_is_not_lost(feed, monkeypatch) -> None:
    monkeypatch.setattr(module, "INLINE_ROWS", 0)  # rank in a thread
    async with running(make(feed)) as core:
        evaluate = module.evaluate

        def slow(*args, **more):
            if not changed:
                changed.append(True)
                core.configure(config(3, sar=0.9))
            return evaluate(*args, **more)

        changed: list[bool] = []
        monkeypatch.setattr(module, "evaluate", slow)
        core.configure(config(2, sar=0.5))
        await until(lambda: core.evaluation.weights[5] == 0.9)


async def test_older_ranking_never_replaces_a_newer_one(feed, monkeypatch) -> None:
    monkeypatch.setattr(module, "INLINE_ROWS", 0)
    versions: list[int] = []
    async with running(make(feed, interval_ms=100)) as core:
        evaluate = module.evaluate

        def spy(snapshot, *args, **more):
            versions.append(snapshot.version)
            return evaluate(snapshot, *args, **more)

        monkeypatch.setattr(module, "evaluate", spy)
        for bar in range(5_500, 5_520):
            feed.put(bar)
            core.configure(config(bar, sar=bar / 10_000))
        await until(lambda: closes(core) == feed.bars[0].time[5_520])
    assert versions == sorted(versions)


async def test_large_batches_are_worked_off_the_loop(feed, monkeypatch) -> None:
    monkeypatch.setattr(module, "INLINE_ROWS", 0)
    async with running(make(feed)) as core:
        threads: list[str] = []
        for name in ("_work", "_scan"):
            method = getattr(core, name)

            def spy(*args, method=method):
                threads.append(threading.current_thread().name)
                return method(*args)

            monkeypatch.setattr(core, name, spy)
        feed.put(5_500)
        await until(lambda: closes(core) == feed.bars[0].time[5_501])
    assert len(threads) == 2
    assert threading.main_thread().name not in threads


async def test_loop_never_waits_for_who_reads_on_another_thread(feed) -> None:
    async with running(make(feed)) as core:
        core._lock.acquire()
        reader = threading.Timer(5.0, core._lock.release)  # or a loop that waits waits for ever
        reader.start()
        feed.put(5_500)
        core.configure(config(2, sar=0.5))
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert closes(core) == feed.bars[0].time[5_500]
        assert reader.is_alive()  # the loop went on meanwhile
        reader.cancel()
        core._lock.release()
        await until(lambda: closes(core) == feed.bars[0].time[5_501])


async def test_symbol_without_new_bars_is_left_out_of_the_ranking(feed) -> None:
    core = make(feed)
    async with running(core):
        assert np.isfinite(core.evaluation.combined.net).all()
        for bar in range(5_500, 5_504):
            feed.put(bar, rows=[0])
        await until(lambda: closes(core) == feed.bars[0].time[5_504])
        net = core.evaluation.combined.net
        assert np.isfinite(net[0]).all()
        assert np.isnan(net[1, 0])  # four hours old: two bars of 1h too many
        assert np.isfinite(net[1, 1:]).all()
        feed.put(5_504)
        await until(lambda: np.isfinite(core.evaluation.combined.net[1, 0]))


async def test_longer_bars_wait_for_what_is_being_repaired(feed) -> None:
    """Bars 5500 to 5503 make four hours; the last one of symbol 1 comes late."""
    opened = feed.bars[0].time
    async with running(make(feed)) as core:
        for bar in range(5_500, 5_503):
            feed.put(bar)
        for bar in (5_503, 5_504):
            settled = np.array([opened[bar + 1], opened[5_503]])
            feed.events.put_nowait(replace(feed.batch(bar, [0]), settled=settled))
        await until(lambda: closes(core) == opened[5_505])
        assert core.latest.closed[:, 1].tolist() == [opened[5_504], opened[5_500]]
        settled = np.array([opened[5_505]] * 2)
        for bar in (5_503, 5_504):
            late = replace(feed.batch(bar, [1]), late=np.ones(1, bool), settled=settled)
            feed.events.put_nowait(late)
        await until(lambda: core.latest.closed[1, 0] == opened[5_505])
        assert core.latest.closed[:, 1].tolist() == [opened[5_504]] * 2
        assert core.latest.price[1] == feed.bars[1].close[5_504]
    whole = await keep(type(feed)(), None, 5)
    for name, array in whole.latest.arrays().items():
        np.testing.assert_array_equal(core.latest.arrays()[name], array, name)
    assert core.latest.patterns == whole.latest.patterns
    assert core.time == whole.time


async def test_longer_bar_closes_once_it_is_settled_that_no_bar_comes(feed) -> None:
    opened = feed.bars[0].time
    async with running(make(feed)) as core:
        for bar in range(5_500, 5_503):
            feed.put(bar)
        settled = np.array([opened[5_504], opened[5_503]])
        feed.events.put_nowait(replace(feed.batch(5_503, [0]), settled=settled))
        await until(lambda: closes(core) == opened[5_504])
        assert core.latest.closed[1, 1] == opened[5_500]
        nothing = feed.batch(5_503, [0])
        feed.events.put_nowait(Closed(
            nothing.time, nothing.rows[:0], nothing.times[:0], nothing.values[:0],
            nothing.late[:0], np.full(2, opened[5_504]),
        ))
        await until(lambda: core.latest.closed[1, 1] == opened[5_504])
        assert core.latest.flagged[1, 1]


async def test_late_bar_does_not_put_the_price_back(feed) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    async with running(make(feed, hub=hub)) as core:
        feed.events.put_nowait(forming(feed, 5_501, 1_000.0, rows=(1,)))
        feed.put(5_500, rows=[0])
        feed.put(5_500, rows=[1])
        await until(lambda: core.latest.closed[1, 0] == feed.bars[0].time[5_501])
        await until(lambda: hub.latest("price", feed.symbols[0]))
        assert hub.latest("price", feed.symbols[1])[1] == 1_000.0
        assert core.forming(feed.symbols[1], "1h").open == 1_000.0


# -- corrections, notes, previews ---------------------------------------------------------------


def corrected(feed, row: int, bar: int) -> Corrected:
    values = feed.bars[row].values.copy()
    values[bar] *= [1.0, 1.2, 0.8, 1.1, 3.0]
    feed.bars[row] = replace(feed.bars[row], values=values)
    return Corrected(int(feed.bars[row].time[bar]), np.array([row]))


async def test_what_was_kept_is_gone_once_bars_in_it_have_changed(feed, tmp_path) -> None:
    """Whoever pulls the plug now must not start again with the old bars."""
    path, read = tmp_path / "s.npz", asyncio.Event()
    async with running(make(feed, path)):
        pass
    assert path.exists()
    feed.closed, history = 0, feed.history

    async def slow(*args):
        await read.wait()
        return await history(*args)

    feed.history = slow
    async with running(make(feed, path)) as core:
        assert path.exists()
        feed.events.put_nowait(corrected(feed, 1, 5_494))
        await until(lambda: not path.exists())
        assert core._rewarmer.pending
        read.set()
        await until(path.exists)
        assert not core._rewarmer.pending


async def test_corrected_symbol_is_scored_as_if_it_had_always_been_so(feed, tmp_path) -> None:
    path = tmp_path / "s.npz"
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    core = make(feed, path, hub=hub)
    async with running(core):
        for bar in range(5_500, 5_510):
            feed.put(bar)
        await until(lambda: closes(core) == feed.bars[0].time[5_510])
        before = core.latest.scores.copy()
        told = core._n_scans
        feed.events.put_nowait(corrected(feed, 1, 5_504))
        await until(lambda: core._n_scans > told)
        await until(path.exists)  # at once: what was kept before is wrong
    other = make(type(feed)(start=5_510))
    other.feed.bars = feed.bars
    async with running(other):
        pass
    after = core.latest.scores
    np.testing.assert_array_equal(after[0], before[0])
    assert not np.array_equal(after[1], before[1], equal_nan=True)
    for name, array in other.latest.arrays().items():
        if name != "exists":
            np.testing.assert_array_equal(core.latest.arrays()[name][1], array[1], name)
    assert core.latest.patterns[1] == other.latest.patterns[1]


async def test_state_that_holds_corrected_bars_is_not_kept(feed, tmp_path) -> None:
    async def never(*_):
        await asyncio.Event().wait()

    path = tmp_path / "s.npz"
    core = make(feed, path)
    async with running(core):
        feed.put(5_500)
        await until(lambda: closes(core) == feed.bars[0].time[5_501])
        await core._keeper.save()
        assert path.exists()
        feed.history = never
        feed.events.put_nowait(corrected(feed, 1, 5_499))
        await until(lambda: core._rewarmer.pending)
        feed.put(5_501)  # the others go on
        await until(lambda: closes(core) == feed.bars[0].time[5_502])
    assert not path.exists()


async def test_notes_are_drained_to_the_end_even_after_an_error(feed) -> None:
    waiting = [BarNote("late", feed.symbols[0], "1h", 1, 2)]

    def notes():
        found = list(waiting)
        waiting.clear()
        return found

    class Store:
        def append(self, several):
            kept.extend(several)

        def forget(self, before, most):
            pass

    kept = []
    feed.notes = notes
    core = Core(feed, FRAMES, None, None, config(), notes=NoteKeeper(feed, Store()))
    async with running(core):
        feed.events.put_nowait(RuntimeError("line of another world"))
        await until(lambda: core.error)
    assert [n.kind for n in kept] == ["late"]


async def test_preview_changes_nothing_that_is_told(feed) -> None:
    async with running(make(feed)) as core:
        assert core.preview(feed.symbols[0], "1h") is None  # no print yet
        feed.events.put_nowait(forming(feed, 5_500, 100.0))
        await until(lambda: feed.symbols[0] in core._prices)
        found, scans, latest = core.evaluation, core._n_scans, core.latest
        seen = core.preview(feed.symbols[0], "4h")
        assert (seen.symbol, seen.timeframe, seen.price) == (feed.symbols[0], "4h", 101.0)
        assert seen.closed == feed.bars[0].time[5_504]
        assert np.isfinite(seen.net)
        assert core.preview("NONE/USDT", "4h") is None
        assert core.preview(feed.symbols[0], "2h") is None
        assert (core.evaluation, core._n_scans, core.latest) == (found, scans, latest)


def test_nothing_is_previewed_before_the_warm_up(feed) -> None:
    assert make(feed).preview(feed.symbols[0], "1h") is None


# -- surviving ----------------------------------------------------------------------------------


async def keep(feed, path, n: int) -> Core:
    """Live through `n` bars and stop."""
    core = make(feed, path)
    async with running(core):
        for bar in range(feed.start, feed.start + n):
            feed.put(bar)
        await until(lambda: closes(core) == feed.bars[0].time[feed.start + n])
    return core


async def test_missed_bars_are_caught_up_in_pieces(scripted, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(warming, "CATCH_UP_BARS", 7)
    await keep(scripted.ScriptedFeed(), tmp_path / "s.npz", 3)
    core, whole = make(scripted.ScriptedFeed(start=5_540), tmp_path / "s.npz"), None
    async with running(core):
        pass
    whole = await keep(scripted.ScriptedFeed(), None, 40)
    for name, array in whole.latest.arrays().items():
        np.testing.assert_array_equal(core.latest.arrays()[name], array, name)
    assert core.latest.patterns == whole.latest.patterns
    assert core.time == whole.time


def rate(time: int, symbol: str) -> float:
    return 1e-4 * np.sin(time / HOUR_MS + len(symbol))


async def test_records_are_the_same_after_a_restart(scripted, tmp_path) -> None:
    class Told(scripted.ScriptedFeed):
        async def observations(self, kinds, since, until):
            hours = range(-(-since // HOUR_MS) * HOUR_MS, until, HOUR_MS)
            found = [Heartbeat(t, t, "desk", "headline") for t in hours]
            found += [
                Headline(t, t, "desk", f"Bitcoin surges after approval {t}", "Paper")
                for t in hours if t // HOUR_MS % 7 == 0
            ]
            found += [
                Funding(t, t, "x", s, rate(t, s))
                for t in hours if t // HOUR_MS % 8 == 0 for s in self.symbols
            ]
            return by_availability(r for r in found if isinstance(r, kinds))

    await keep(Told(), tmp_path / "s.npz", 3)
    core = make(Told(start=5_540), tmp_path / "s.npz")
    async with running(core):
        pass
    whole = await keep(Told(), None, 40)
    assert np.isfinite(whole.latest.scores[:, :, 6:8]).all()  # sentiment and news
    for name, array in whole.latest.arrays().items():
        np.testing.assert_array_equal(core.latest.arrays()[name], array, name)


@pytest.mark.parametrize(("most", "start"), [(30, 5_540), (10_000, 5_400)])
async def test_state_far_behind_or_ahead_is_not_used(
    scripted, tmp_path, monkeypatch, most, start
) -> None:
    monkeypatch.setattr(module, "MOST_MISSED", most)
    await keep(scripted.ScriptedFeed(), tmp_path / "s.npz", 3)
    core, fresh = make(scripted.ScriptedFeed(start=start), tmp_path / "s.npz"), None
    async with running(core):
        pass
    fresh = make(scripted.ScriptedFeed(start=start))
    async with running(fresh):
        pass
    assert core.time == fresh.time
    for name, array in fresh.latest.arrays().items():
        np.testing.assert_array_equal(core.latest.arrays()[name], array, name)


async def test_start_between_two_bars_loses_none(scripted, tmp_path) -> None:
    class Between(scripted.ScriptedFeed):
        async def open(self) -> int:
            return int(await super().open()) + HOUR_MS // 2

    core = make(Between(), tmp_path / "s.npz")
    async with running(core):
        pass
    later = Between(start=5_502)  # bars 5500 and 5501 have closed meanwhile
    again = make(later, tmp_path / "s.npz")
    async with running(again):
        later.put(5_502)
        await until(lambda: closes(again) == later.bars[0].time[5_503])
        assert not again.latest.flagged.any()
    whole = await keep(scripted.ScriptedFeed(), None, 3)
    np.testing.assert_array_equal(again.latest.scores, whole.latest.scores)


async def test_full_disk_does_not_stop_the_agent(feed, tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        tried.append(True)
        raise OSError(28, "No space left on device")

    tried: list[bool] = []
    monkeypatch.setattr(state, "save_state", full)
    monkeypatch.setattr(state, "SAVE_EVERY_S", 0.001)
    monkeypatch.setattr(state, "FIRST_S", 0.001)
    core = make(feed, tmp_path / "s.npz")
    async with running(core):
        await until(lambda: len(tried) > 2)
        feed.put(5_500)
        await until(lambda: closes(core) == feed.bars[0].time[5_501])
    assert core.error == ""
    assert feed.closed == 1


async def test_state_is_kept_while_it_runs(feed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(state, "SAVE_EVERY_S", 0.001)
    monkeypatch.setattr(state, "FIRST_S", 0.001)
    async with running(make(feed, tmp_path / "s.npz")):
        await until(lambda: (tmp_path / "s.npz").exists())


async def test_state_is_written_off_the_loop_one_after_the_other(
    feed, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(state, "SAVE_EVERY_S", 0.001)
    monkeypatch.setattr(state, "FIRST_S", 0.001)
    writing, begun, release = threading.Lock(), threading.Event(), threading.Event()
    kept: list[int] = []

    def slow(_, arrays) -> None:
        assert threading.current_thread() is not threading.main_thread()
        assert writing.acquire(blocking=False), "two writers of one file"
        begun.set()
        release.wait(10)
        kept.append(int(arrays["time"]))
        writing.release()

    monkeypatch.setattr(state, "save_state", slow)
    async with running(make(feed, tmp_path / "s.npz")) as core:
        await until(begun.is_set)
        feed.put(5_500)
        await until(lambda: closes(core) == feed.bars[0].time[5_501])
        core.stop()  # cancels who waits for the writer, not the writer
        await until(lambda: "agent: state" not in {t.get_name() for t in asyncio.all_tasks()})
        for _ in range(20):  # time enough for a second writer that does not wait
            await asyncio.sleep(0.001)
        release.set()
    assert len(kept) == 2
    assert kept[-1] == core.time > kept[0]


async def test_half_a_batch_is_never_kept(feed, tmp_path, monkeypatch) -> None:
    path = tmp_path / "s.npz"
    core = make(feed, path)
    async with running(core):
        def fail(*_: object) -> None:
            raise RuntimeError("half way")

        monkeypatch.setattr(core._streams, "update", fail)
        feed.put(5_500)
        await until(lambda: core.error)
        await asyncio.to_thread(core._keeper.write)
    assert not path.exists()


async def test_fault_of_any_kind_is_named_and_keeps_the_older_state(feed, tmp_path) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(b"older")
    core = make(feed, path)
    async with running(core):
        feed.events.put_nowait(RuntimeError("kernel of another world"))
        await until(lambda: core.error)
    assert core.error == "kernel of another world"
    assert path.read_bytes() == b"older"
    assert feed.closed == 1


async def test_fault_while_it_opens_is_handed_to_the_caller(feed) -> None:
    async def fail() -> int:
        raise RuntimeError("no such thing")

    feed.open = fail
    core = make(feed)
    told: list[Exception] = []
    core.on_ready = told.append
    await core.run()
    assert [str(e) for e in told] == ["no such thing"]
    assert feed.closed == 1


async def test_stop_before_the_start_ends_at_once(feed) -> None:
    core = make(feed)
    told: list[Exception] = []
    core.on_ready = told.append
    core.stop()
    async with asyncio.timeout(20):
        await core.run()
    assert "was stopped before" in str(told[0])
    assert core.latest is None
    assert (feed.streams, feed.closed) == (0, 1)


async def test_stop_ends_a_start_that_waits_for_the_market(feed) -> None:
    waiting = asyncio.Event()

    async def wait() -> int:
        waiting.set()
        await asyncio.Event().wait()
        return 0

    feed.open = wait
    core = make(feed)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(core.run())
        await waiting.wait()
        core.stop()
    assert core.latest is None
    assert feed.closed == 1


# -- trust in the data -------------------------------------------------------------------------


class Doubtful:
    """Faults of a feed of two symbols, which a test turns."""

    def __init__(self, feed) -> None:
        none, no = np.zeros(2), np.zeros(2, np.bool_)
        self.now = Faults(none, none, no, none, none, no, no)
        feed.faults = lambda: self.now


async def test_what_a_feed_doubts_is_vetoed_at_the_next_scan_and_back_after(feed) -> None:
    doubts = Doubtful(feed)
    async with running(make(feed)) as core:
        assert (core.latest.trust == 1).all()
        doubts.now = replace(doubts.now, pending=np.array([True, False]))
        feed.put(5_500)
        await until(lambda: core.time > feed.clock.now())
        await until(lambda: core.latest.trust[0].max() == 0)
        found = core.evaluation
        assert found.trust.tolist() == [0.0, 1.0]
        assert "trust" in found.why(0)
        assert "trust" not in found.why(1)
        assert found.row(0).trust_note == "bars are missing and being asked for"
        assert found.row(0).confidence == 0
        doubts.now = replace(doubts.now, pending=np.zeros(2, np.bool_))
        core.configure(config(version=2))  # a scan without any new bar
        await until(lambda: core.evaluation is not found and core.latest.trust.min() == 1)


async def test_a_silent_feed_loses_trust_without_any_bar(feed) -> None:
    doubts = Doubtful(feed)
    async with running(make(feed, interval_ms=100)) as core:
        doubts.now = replace(doubts.now, overdue=np.array([1.5, 30.0]))
        await until(lambda: core.latest.trust.min() < 1)
        assert core.latest.trust[:, 0].tolist() == [0.5, 0.0]


@pytest.mark.parametrize("again", [False, True], ids=["history", "restored"])
async def test_a_start_that_takes_long_blames_no_hole_of_the_past_on_a_feed(
    scripted, tmp_path, again
) -> None:
    """Bars fall due while history is read; what that lacks was asked for and never existed."""
    state = tmp_path / "state.npz"
    feed = scripted.ScriptedFeed()
    for row in range(2):
        bars = feed.bars[row]
        kept = np.delete(np.arange(len(bars)), [5_480, 5_490])
        feed.bars[row] = replace(bars, time=bars.time[kept], values=bars.values[kept])
    doubts = Doubtful(feed)
    if again:
        feed.start = 5_470
        async with running(make(feed, state)):
            pass
        feed.start, feed.closed = 5_500, 0
    doubts.now = replace(
        doubts.now, pending=np.ones(2, np.bool_), missing=np.full(2, 0.05), overdue=np.full(2, 3.0)
    )
    async with running(make(feed, state)) as core:
        assert core.latest.trust.max() == 0  # they are missing now
        doubts.now = replace(
            doubts.now, pending=np.zeros(2, np.bool_), missing=np.zeros(2), overdue=np.zeros(2)
        )
        core.configure(config(version=2))
        await until(lambda: core.latest.trust.max() > 0)
        assert (core.latest.trust == 1).all()


async def test_state_of_another_market_under_the_same_name_is_not_gone_on_with(
    scripted, tmp_path
) -> None:
    """E.g. a local exchange that was started again with another seed."""
    state, feed = tmp_path / "state.npz", scripted.ScriptedFeed()
    async with running(make(feed, state)):
        pass
    other = scripted.ScriptedFeed(start=5_503)
    other.bars = [replace(b, values=b.values * [[1.3, 1.3, 1.3, 1.3, 1]]) for b in other.bars]
    async with running(make(other, state)) as core:
        found = core.latest
    async with running(make(other)) as core:
        np.testing.assert_array_equal(core.latest.scores, found.scores)
        np.testing.assert_array_equal(core.latest.atr, found.atr)


async def test_symbol_that_changed_while_nobody_looked_is_warmed_again(
    scripted, tmp_path
) -> None:
    state, feed = tmp_path / "state.npz", scripted.ScriptedFeed(3, start=5_499)
    async with running(make(feed, state)) as core:
        feed.put(5_499)
        await until(lambda: core.time > feed.clock.now())
    feed.start = 5_503
    corrected(feed, 1, 5_499)
    async with running(make(feed, state)) as core:
        await until(lambda: core._n_scans > 1)
        found = core.latest
    async with running(make(feed)) as core:
        for name in ("scores", "atr"):
            expected = core.latest.arrays()[name]
            np.testing.assert_array_equal(found.arrays()[name][1], expected[1], name)
