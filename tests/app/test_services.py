"""The real services: simulated market at a fixed time, temporary SQLite, agent on its thread."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from calling import made_calls
from served import FRAMES, GIVEN, NAMES, START, Ears, build, settings_of, until

from app.auth.users import NewKey
from app.exchange.server import LocalExchange
from app.feed import make_feed
from app.names import symbols_key
from app.services import Services
from app.verify import sessions_folder
from opportunity.config import Settings
from opportunity.config_lists import NewsSource
from opportunity.detectors.inputs import Observed
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.feeds.status import FeedStatus
from opportunity.market.bars import Bars
from opportunity.market.notes import BarNote
from opportunity.market.timeframe import MINUTE_MS, length_ms
from opportunity.scoring.calibration import calibrated
from opportunity.scoring.ensemble import score
from opportunity.scoring.presets import PRESETS
from opportunity.scoring.weights import Weights
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory
from opportunity.storage.session import read_session, sessions_in
from opportunity.strategy import ScanRules

BALANCED = PRESETS["balanced"]


# -- facts --------------------------------------------------------------------------------------


async def test_facts_before_and_after_the_start(services) -> None:
    assert services.snapshot() is None
    assert services.evaluation() is None
    assert services.evaluate(Weights()) is None
    assert services.forming("BTC/USDT", "1h") is None
    assert not services.agent.running
    assert (services.source, services.feed_name, services.base) == (
        "simulated", "simulated", "1m",
    )
    assert services.symbols == NAMES
    await services.start()
    assert services.agent.running
    assert services.timeframes == FRAMES
    assert services.snapshot().time == START
    assert services.snapshot().source == "simulated"
    assert np.isfinite(services.evaluation().combined.net).all()
    assert 0 <= services.uptime_s < 60


async def test_two_servers_are_told_apart_by_their_epoch(services, again) -> None:
    assert (await again(services)).epoch != services.epoch


# -- weights ------------------------------------------------------------------------------------


# -- judgements ----------------------------------------------------------------------------------


async def test_draft_leaves_everybody_else_alone(live) -> None:
    ears, before = Ears(live), live.evaluation()
    draft = live.evaluate(Weights(sar=1.0), ScanRules(min_volume_usd=0), NAMES[1:], ("1h",))
    assert draft.snapshot.symbols == NAMES[1:]
    assert draft.snapshot.timeframes == ("1h",)
    assert draft.weights[5] == 1.0
    assert (draft.combined.net != before.combined.net[1:, 1:2]).any()
    assert live.evaluation() is before
    assert live.weights.as_dict() == BALANCED
    await ears.nothing(live)


async def test_scan_of_live_timeframes_is_the_ranking_itself(live) -> None:
    report = await live.scan(["ethusdt", "BTC/USDT", "ETH/USDT"], ["1h", "4h", "1h"])
    whole = live.evaluation()
    assert report.evaluation.snapshot.symbols == ("ETH/USDT", "BTC/USDT")
    assert report.time == START
    np.testing.assert_array_equal(
        report.evaluation.combined.net, whole.combined.net[[1, 0]][:, 1:]
    )
    assert report.errors == {}
    assert report.source == "simulated"


async def test_scan_of_live_timeframes_lists_stale_streams(live) -> None:
    core, newest = live.agent._core, live.snapshot()
    closed = newest.closed.copy()
    closed[1] -= 30 * 24 * 3_600_000  # the second symbol is no longer traded
    core.latest = replace(newest, closed=closed).fresh()
    report = await live.scan(NAMES, ["1h", "4h"])
    assert {(s.symbol, s.timeframe) for s in report.stale} == {(NAMES[1], "1h"), (NAMES[1], "4h")}
    assert report.stale[0].bars_behind == 30 * 24
    assert report.evaluation.find(NAMES[1]).stopped_by == ("unscored",)


def known(services: Services, bars: Bars) -> dict[str, Observed]:
    """What the agent's detectors knew besides bars."""
    observers = services.agent.observers([bars.symbol])
    assert observers is not None
    return observers.observed(bars)


async def test_scan_of_another_timeframe_reads_the_history(live) -> None:
    report = await live.scan(["ETH/USDT", "XYZ/USDT", "???"], ["2h", "1h"])
    assert set(report.errors) == {"XYZ/USDT", "???"}
    assert report.time == live.agent.time == START
    assert report.stale == ()
    for column, frame in enumerate(("2h", "1h")):
        bars = await live.feed.history("ETH/USDT", frame, 1_000, START)
        net = score(bars, weights=live.weights, observations=known(live, bars)).net[-1]
        assert report.evaluation.combined.net[0, column] == net


async def test_scan_of_another_timeframe_tells_the_price_of_now(tmp_path) -> None:
    start = "2026-01-05T12:50"  # the last bar of two hours closed 50 minutes ago
    services = build(settings_of(tmp_path, start=start, speed=0.1))
    await services.start()
    now = (await services.scan(NAMES, ["5m"])).evaluation.snapshot
    then = (await services.scan(NAMES, ["2h"])).evaluation.snapshot
    for name in ("price", "change_24h", "volume_24h", "drawdown_rank"):
        np.testing.assert_array_equal(getattr(then, name), getattr(now, name))
    await services.stop()


async def test_scan_uses_its_own_weights_and_rules_only_for_itself(live) -> None:
    before, rules = live.evaluation(), ScanRules(threshold=0.5, exclude_neutral=False)
    for frames in (["1h"], ["2h"]):
        report = await live.scan(NAMES, frames, Weights(sar=1.0), rules)
        assert report.evaluation.weights[5] == 1.0
        assert report.evaluation.rules.threshold == 0.5
    assert live.evaluation() is before
    assert live.weights.sar == BALANCED["sar"]


async def test_quick_scan_leaves_out_what_is_not_scored(live) -> None:
    report = await live.scan(NAMES, ["2h", "1h"], quick=True)
    assert report.evaluation.snapshot.timeframes == ("1h",)
    assert set(report.errors) == {"2h"}


async def test_scan_of_nothing_known_is_empty_and_says_why(live) -> None:
    for frames in (["1h"], ["2h"]):
        report = await live.scan(["XYZ/USDT"], frames)
        assert report.rows == ()
        assert report.time == START
        assert set(report.errors) == {"XYZ/USDT"}


@pytest.mark.parametrize(("frames", "words"), [([], "timeframes must be"), (["7h"], "timeframe")])
async def test_scan_of_wrong_timeframes_is_refused(live, frames, words) -> None:
    with pytest.raises(ValueError, match=words):
        await live.scan(NAMES, frames)


async def test_scan_before_the_warm_up_reads_the_history(services) -> None:
    report = await services.scan(["BTC/USDT"], ["1h"])
    assert np.isfinite(report.evaluation.combined.net).all()


async def test_scans_work_while_the_agent_is_off(tmp_path) -> None:
    services = build(settings_of(tmp_path, speed=6_000.0))
    await services.start()
    await services.controls.set_enabled(False, by="api")
    await until(lambda: services.agent.time >= START + 10 * MINUTE_MS)
    await until(lambda: services.snapshot().closed[0, 0] >= START + 10 * MINUTE_MS)
    report = await services.scan(NAMES, ["5m"])
    assert report.time >= START + 10 * MINUTE_MS
    await services.stop()


async def test_chart_is_scored_under_the_shared_weights(live) -> None:
    await live.controls.apply_weights(GIVEN, by="api")
    chart = await live.chart("ETH/USDT", "1h", 120)
    bars = await live.feed.history("ETH/USDT", "1h", 1_120, START)
    np.testing.assert_array_equal(chart.bars.values, bars.values[-120:])
    np.testing.assert_array_equal(
        chart.net, score(bars, weights=GIVEN, observations=known(live, bars)).net[-120:]
    )
    assert chart.bars.close_time[-1] == START
    assert chart.bars.source == "simulated"


async def test_context_is_as_of_the_agents_time_and_stamped(live) -> None:
    found = await live.context("BTC/USDT", 5)
    assert found is not None
    assert (found.symbol, found.source, found.time) == ("BTC/USDT", "simulated", START)
    assert 0 <= found.fear_greed <= 100
    assert found.mood
    assert -1 <= found.funding <= 1
    times = [h.known_at for h in found.headlines]
    assert times == sorted(times, reverse=True)
    assert max(times) <= START


async def test_context_before_the_warm_up(services) -> None:
    assert await services.context("BTC/USDT") is None


async def test_chart_of_a_timeframe_that_is_not_scored(live) -> None:
    chart = await live.chart("ETH/USDT", "2h", 50)
    assert len(chart.bars) == 50
    assert chart.forming is None


async def test_chart_before_the_warm_up(services) -> None:
    assert len((await services.chart("BTC/USDT", "1h", 10)).bars) == 10


@pytest.mark.parametrize(
    ("symbol", "frame", "n"),
    [("XYZ/USDT", "1h", 10), ("BTC/USDT", "7h", 10), ("BTC/USDT", "1h", 0)],
)
async def test_chart_of_what_is_not_there_is_refused(live, symbol, frame, n) -> None:
    with pytest.raises(ValueError, match="must be"):
        await live.chart(symbol, frame, n)


async def test_unfinished_bar_goes_on_from_the_closed_ones(tmp_path) -> None:
    services = build(settings_of(tmp_path, speed=600.0))
    await services.start()
    ears = Ears(services)
    await until(lambda: services.agent.time >= START + 2 * MINUTE_MS and ears.states)
    bar = services.forming("BTC/USDT", "1h")
    assert bar.time == START
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert services.forming("XYZ/USDT", "1h") is None
    chart = await services.chart("BTC/USDT", "1h", 5)
    assert chart.forming.open == bar.open
    assert chart.forming.time == chart.bars.close_time[-1]
    await services.stop()


# -- surviving a restart ---------------------------------------------------------------------------


async def test_market_goes_on_where_it_stood(tmp_path, again) -> None:
    services = build(settings_of(tmp_path, speed=6_000.0))
    await services.start()
    await until(lambda: services.agent.time >= START + 7 * MINUTE_MS)
    restarted = await again(services)
    stood = services.agent.time
    assert restarted.feed.clock.now() == stood
    await restarted.start()
    assert restarted.snapshot().time == stood
    assert restarted.snapshot().patterns == services.snapshot().patterns
    closed = restarted.snapshot().closed
    assert (closed == [[stood // length_ms(f) * length_ms(f) for f in FRAMES]] * 3).all()


async def test_time_is_remembered_while_the_agent_is_off(tmp_path, again) -> None:
    services = build(settings_of(tmp_path, speed=6_000.0, timeframes=("1h",)))
    await services.start()
    await services.controls.set_enabled(False, by="api")
    await until(lambda: services.agent.time >= START + 7 * MINUTE_MS)
    restarted = await again(services)
    assert restarted.feed.clock.now() == services.agent.time > services.snapshot().time


async def test_another_seed_never_goes_on_from_this_ones_streams(live, again) -> None:
    other = await again(live, seed=8)
    await other.start()
    bars = await other.feed.history("BTC/USDT", "1h", 1_000, START)
    net = score(bars, weights=other.weights, observations=known(other, bars)).net[-1]
    assert other.evaluation().combined.net[0, 1] == net


@pytest.mark.parametrize("wall", [False, True])
async def test_sources_are_read_only_beside_a_feed_of_wall_time(tmp_path, monkeypatch, wall):
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.json").write_text('[{"title": "Exchange halts BTC withdrawals"}]')
    monkeypatch.setattr(SimulatedFeed, "on_wall_time", wall)
    sources = (NewsSource("desk", str(tmp_path / "drop")),)
    services = build(settings_of(tmp_path, news_sources=sources, start=""))
    polled = services.agent._core._gatherer.sources
    assert (polled is not None) == wall
    await services.start()
    if wall:
        await until(lambda: any(h.n_records for h in polled.health))
    await services.stop()


async def test_failed_start_can_be_stopped(tmp_path) -> None:
    services = build(settings_of(tmp_path))

    async def fail() -> int:
        raise OSError("no feed")

    services.feed.open = fail
    with pytest.raises(OSError, match="no feed"):
        await services.start()
    assert services.snapshot() is None
    await services.stop()


async def test_a_kept_calibration_speaks_for_scores_that_it_fits(tmp_path) -> None:
    calls = made_calls(3_000)
    kept = calibrated({t: replace(calls, timeframe=t) for t in FRAMES}, None, "simulated", NAMES)
    kept.save(tmp_path / "calibration.json")
    services = build(settings_of(tmp_path))
    await services.start()
    try:
        seen = services.evaluation()
        assert seen.uncalibrated == ""
        assert np.isfinite(seen.success[seen.consensus.direction != 0]).all()
        other = services.evaluate(Weights(smc=0.9))
        assert other.uncalibrated == "uncalibrated: the calibration is of other weights"
        report = await services.scan(NAMES, ["1h"])
        assert report.evaluation.uncalibrated == ""
    finally:
        await services.stop()


async def test_notes_of_the_feed_are_kept_and_read(tmp_path, again) -> None:
    services = build(settings_of(tmp_path))
    told = BarNote("corrected", "BTC/USDT", "1m", START, START + 1, change_bp=7.0)
    waiting = [told]
    services.feed.notes = lambda: [waiting.pop()] if waiting else []
    await services.start()
    services = await again(services)  # drained with the agent's last breath
    page = await services.notes(symbol="BTC/USDT", kind="corrected")
    assert page.notes == (told,)
    assert (await services.notes(since=START + 2)).notes == ()


async def test_line_to_the_market_is_told_before_the_agent_is_ready(services) -> None:
    assert services.feed_status() is None
    services.feed.status = lambda: FeedStatus("recovering", "Connecting again", 1)
    started = asyncio.ensure_future(services.start())
    await asyncio.sleep(0)
    assert services.hub.latest("feed").state == "recovering"
    await started


async def test_preview_is_of_the_bar_that_is_unfinished_now(tmp_path) -> None:
    services = build(settings_of(tmp_path, speed=20.0))
    await services.start()
    try:
        assert services.preview("NONE/USDT", "1h") is None
        await until(lambda: services.forming("BTC/USDT", "1h") is not None)
        seen = services.preview("BTC/USDT", "1h")
        assert seen.symbol == "BTC/USDT"
        assert seen.closed == START + 60 * MINUTE_MS
        assert np.isfinite(seen.final)
    finally:
        await services.stop()


async def test_symbols_of_an_exchange_are_those_of_the_last_run(tmp_path) -> None:
    """A rank that changes by a hair must not cost the state of all streams."""
    settings = Settings(
        home=tmp_path, feed="exchange", top=2, timeframes=("1m", "5m"), exchange_url=""
    )
    async with LocalExchange(("BTC/USDT", "ETH/USDT", "SOL/USDT"), speed=60.0) as exchange:
        settings = settings.model_copy(update={"exchange_url": exchange.url})
        memory = Memory(open_database(settings.database), wall_ms)
        memory.settings.write(**{symbols_key(settings): ["SOL/USDT", "BTC/USDT"]})
        stored = memory.settings.read()[symbols_key(settings)]
        feed = make_feed(settings, None, START, stored)
        services = Services(settings, feed, memory, asyncio.get_running_loop())
        assert services.feed_status().state == "connecting"
        async with asyncio.timeout(60):
            await services.start()
        assert services.symbols == ("SOL/USDT", "BTC/USDT")
        assert memory.settings.read()[symbols_key(settings)] == ["SOL/USDT", "BTC/USDT"]
        await services.stop()


async def test_session_is_recorded_where_it_is_asked_for(tmp_path) -> None:
    plain = build(settings_of(tmp_path / "plain"))
    await plain.start()
    await plain.stop()
    assert sessions_in(sessions_folder(tmp_path / "plain")) == []
    services = build(settings_of(tmp_path, record=True))
    await services.start()
    await services.stop()
    (folder,) = sessions_in(sessions_folder(tmp_path))
    assert read_session(folder).header["source"] == "simulated"


async def test_bars_end_where_they_are_asked_to_and_never_in_the_future(live) -> None:
    newest = await live.bars("BTC/USDT", "1h", 5)
    assert (len(newest), int(newest.close_time[-1])) == (5, START)
    later = await live.bars("BTC/USDT", "1h", 5, START + 10 * length_ms("1h"))
    assert later.time.tolist() == newest.time.tolist()
    before = await live.bars("BTC/USDT", "1h", 5, int(newest.time[0]))
    assert int(before.close_time[-1]) == int(newest.time[0])
    with pytest.raises(ValueError, match="n_bars"):
        await live.bars("BTC/USDT", "1h", 0)


# -- who may come in ----------------------------------------------------------------------------


async def test_accounts_outlive_the_server_and_their_changes_are_in_the_audit(services, again):
    text, _ = await services.accounts.people.create_key(NewKey("notebook", "trader"), "test")
    assert services.accounts.verify_bearer(text).name == "key:notebook"
    restarted = await again(services)
    assert restarted.accounts.verify_bearer(text).name == "key:notebook"
    (kept,) = restarted.accounts.people.keys()
    assert kept.last_used is not None
    (told,) = await restarted.paper.audit("audit", 10, None)
    assert (told.body["what"], told.body["by"]) == ("token", "test")
