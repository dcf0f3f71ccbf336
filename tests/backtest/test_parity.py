"""A recorded session and its backtest are the same: signals, orders, fills, trades, equity."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sessions import EAGER, WARM, StepFeed, agent_of, live, news, no_faults

from app.exchange.server import LocalExchange
from opportunity.backtest.parity import KINDS, Verification, verify
from opportunity.backtest.replay import _run_in_turn, _run_whole, replay
from opportunity.backtest.session_input import read
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.exchange.lines.lines import settings_for
from opportunity.feeds.exchange.tuning import Tuning
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.live.agent import Agent
from opportunity.live.trader import PaperTrading
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import HOUR_MS
from opportunity.storage.frames import Frame, FrameFile, pack, sealed
from opportunity.storage.session import HEADER, LOG, SessionError, read_session
from opportunity.trading.rules import TradeRules


def whole(feed: StepFeed, first: int, last: int) -> list:
    rows = tuple(range(len(feed.symbols)))
    return [feed.batch(bar, rows) for bar in range(first, last)]


def require_equal(found: Verification, trades: int = 3) -> None:
    """Everything is the same, and there was something to compare."""
    assert found.equal, found.divergence
    assert [m.kind for m in found.matches] == list(KINDS)
    assert all(m.recorded == m.replayed == m.equal for m in found.matches)
    by_kind = {m.kind: m.recorded for m in found.matches}
    assert by_kind["trades"] >= trades
    assert by_kind["fills"] > by_kind["trades"]
    assert by_kind["equity"] == found.n_batches


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of 75 hours with records, that nothing happened in."""
    folder = tmp_path_factory.mktemp("sessions") / "plain"

    async def run() -> None:
        feed = StepFeed()
        feed.records = news(feed, WARM - 900, WARM + 300)
        feed.steps = whole(feed, WARM, WARM + 300)
        await live(agent_of(feed, folder), feed.done)

    asyncio.run(run())
    return folder


async def test_simulated_market_is_found_again(tmp_path) -> None:
    class Ending(SimulatedFeed):
        async def stream(self):
            async for event in super().stream():
                yield event
                if event.time >= self._start + 26 * HOUR_MS:
                    done.set()

    done = asyncio.Event()
    feed = Ending(3, speed=1e6)
    await live(agent_of(feed, tmp_path / "s"), done)
    found = verify(tmp_path / "s")
    require_equal(found, trades=2)
    assert found.source == "simulated"
    session = read(read_session(tmp_path / "s"))
    kinds = {type(r).__name__ for _, records in session.records for r in records}
    assert {"Trades", "Headline", "Funding", "Heartbeat"} <= kinds


def test_session_with_records_is_found_again(plain) -> None:
    found = verify(plain)
    require_equal(found, trades=10)
    assert found.torn == 0
    history = replay(read(read_session(plain))).history
    stream = history.streams[0][0]
    read_of = np.isfinite(stream.scores[stream.known >= 0]).sum(axis=0)
    assert (read_of[6:8] > 100).all()  # sentiment and news


async def test_records_that_begin_in_the_middle_are_found_again(tmp_path) -> None:
    feed = StepFeed()
    feed.records = news(feed, WARM + 90, WARM + 200)
    feed.steps = whole(feed, WARM, WARM + 200)
    await live(agent_of(feed, tmp_path / "s"), feed.done)
    require_equal(verify(tmp_path / "s"))
    history = replay(read(read_session(tmp_path / "s"))).history
    since = history.exists_from
    assert (since[:6] == 0).all()
    assert ((since[6:8] > feed.opened(WARM)) & (since[6:8] < feed.opened(WARM + 200))).all()


def test_backtest_without_the_records_is_another_one(plain) -> None:
    session = read(read_session(plain))
    session.records.clear()
    said = session.column("said")
    assert not np.array_equal(replay(session).said, said, equal_nan=True)


def test_both_ways_to_run_are_the_same(plain) -> None:
    session = read(read_session(plain))
    history = replay(session).history
    setup = session.configs[session.first_config].setup
    table = session.column("decisions")
    several = zip(
        _run_whole(table, setup, history),
        _run_in_turn(session, table, [setup] * session.n_batches, history), strict=True,
    )  # fmt: skip
    for one, other in several:
        assert one.tobytes() == other.tobytes()


async def test_outage_and_late_bars_are_found_again(tmp_path) -> None:
    """Symbol 1 is silent for hours; the feed knows, and part of its bars come late."""
    feed = StepFeed()
    steps = whole(feed, WARM, WARM + 40)
    faults = no_faults(3)
    feed.wrong = faults
    gone = WARM + 40
    for bar in range(gone, gone + 27):
        settled = [feed.opened(bar + 1), feed.opened(gone), feed.opened(bar + 1)]
        n = bar - gone + 1.0

        def blame(n=n) -> None:
            overdue, pending = np.array([0.0, n, 0.0]), np.array([False, n > 2, False])
            missing = np.array([0.0, n / 100, 0.0])
            feed.wrong = replace(faults, overdue=overdue, pending=pending, missing=missing)

        steps += [blame, feed.batch(bar, (0, 2), settled=settled)]
    back = gone + 27
    for bar in range(gone + 5, back):  # five bars are lost for good
        until = [feed.opened(back), feed.opened(bar + 1), feed.opened(back)]
        steps.append(feed.batch(bar, (1,), late=True, settled=until))
    steps.append(lambda: setattr(feed, "wrong", replace(faults, missing=np.array([0, 0.05, 0]))))
    for bar in range(back, back + 60):  # three bars of symbol 2 never existed: the feed is sure
        rows = (0, 1) if back + 21 <= bar < back + 24 else (0, 1, 2)
        steps.append(feed.batch(bar, rows, settled=[feed.opened(bar + 1)] * 3))
    empty = feed.batch(back + 60, (), settled=[feed.opened(back + 61)] * 3)
    steps += [empty, lambda: setattr(feed, "wrong", None), *whole(feed, back + 61, back + 160)]
    feed.steps = steps
    await live(agent_of(feed, tmp_path / "s"), feed.done)
    require_equal(verify(tmp_path / "s"))
    session = read(read_session(tmp_path / "s"))
    assert sum("late" in o.arrays for o in session.outcomes) == 22
    assert any(o.faults is not None for o in session.outcomes)


async def test_hole_without_word_from_the_feed_is_found_again(tmp_path) -> None:
    feed = StepFeed()
    hole = range(WARM + 50, WARM + 71)
    feed.steps = [
        feed.batch(bar, (0, 2) if bar in hole else (0, 1, 2)) for bar in range(WARM, WARM + 200)
    ]
    await live(agent_of(feed, tmp_path / "s"), feed.done)
    require_equal(verify(tmp_path / "s"))


async def test_turned_weights_rules_and_switch_are_found_again(tmp_path) -> None:
    feed = StepFeed()
    agent = agent_of(feed, tmp_path / "s")
    feed.steps = [
        *whole(feed, WARM, WARM + 80),
        lambda: agent.weights.update(sar=0.9, smc=0.0),
        *whole(feed, WARM + 80, WARM + 140),
        lambda: setattr(agent, "enabled", False),
        *whole(feed, WARM + 140, WARM + 170),
        lambda: setattr(agent, "enabled", True),
        *whole(feed, WARM + 170, WARM + 203),  # the next one closes an hour
        lambda: agent.trading.rules.param.update(
            stop_atr=3.0, trail_atr=0.3, targets_r=[1.5], shares=[0.5], time_stop=5
        ),
        lambda: setattr(agent.trading.risk, "max_positions", 2),
        *whole(feed, WARM + 203, WARM + 243),
    ]
    for bar in range(WARM + 243, WARM + 299, 8):
        turn = {"stop_atr": 1.0 + bar % 5, "trail_atr": 0.2 + bar % 3}
        feed.steps += [lambda turn=turn: agent.trading.rules.param.update(**turn)]
        feed.steps += whole(feed, bar, bar + 8)
    await live(agent, feed.done)
    found = verify(tmp_path / "s")
    require_equal(found)
    assert found.n_configs >= 10
    session = read(read_session(tmp_path / "s"))
    off = [o for o in session.outcomes if o.config >= 0 and not session.configs[o.config].enabled]
    assert off
    assert not any(o.arrays["decisions"]["side"].any() for o in off if "decisions" in o.arrays)


async def test_corrected_bars_are_found_again(tmp_path) -> None:
    feed = StepFeed()
    agent = agent_of(feed, tmp_path / "s")

    async def settled() -> None:
        while agent._core._rewarmer.pending:  # noqa: ASYNC110 - it tells nobody of its end
            await asyncio.sleep(0.001)

    corrected = feed.correct(1, WARM + 37)
    values = feed.bars[1].values.copy()
    values[WARM + 37] /= [1.0, 1.05, 0.95, 1.01, 3.0]
    before = replace(feed.bars[1], values=values)
    after, feed.bars[1] = feed.bars[1], before
    feed.steps = [
        *whole(feed, WARM, WARM + 60),
        lambda: feed.bars.__setitem__(1, after), corrected,
        *whole(feed, WARM + 60, WARM + 90), settled,
        *whole(feed, WARM + 90, WARM + 160),
    ]  # fmt: skip
    await live(agent, feed.done)
    require_equal(verify(tmp_path / "s"))
    session = read(read_session(tmp_path / "s"))
    assert any(call.kind == "adopt" for call in session.calls)


async def test_session_that_goes_on_from_a_stored_state_is_found_again(tmp_path) -> None:
    state = tmp_path / "state.npz"
    feed = StepFeed()
    feed.steps = whole(feed, WARM, WARM + 150)
    await live(agent_of(feed, tmp_path / "one", state=state), feed.done)
    again = StepFeed(start=WARM + 160)  # ten bars were missed: they are caught up with
    again.steps = whole(again, WARM + 160, WARM + 320)
    await live(agent_of(again, tmp_path / "two", state=state), again.done)
    require_equal(verify(tmp_path / "one"), trades=1)
    require_equal(verify(tmp_path / "two"))
    session = read(read_session(tmp_path / "two"))
    assert {"load", "update"} <= {c.kind for c in session.calls if c.batch < 0}
    assert not any(c.kind == "warm" for c in session.calls)


async def test_large_universe_on_other_threads_is_found_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("opportunity.live.core.INLINE_ROWS", 0)
    feed = StepFeed(4)
    feed.steps = whole(feed, WARM, WARM + 120)
    await live(agent_of(feed, tmp_path / "s", fill="limit"), feed.done)
    require_equal(verify(tmp_path / "s"), trades=1)


@pytest.mark.realdata
async def test_recorded_market_with_holes_is_found_again(market_data, tmp_path) -> None:
    source = BarStore(market_data / "binance")
    names = [s for s in source.symbols("1h") if s.endswith("/USDT")][:3]
    store = BarStore(tmp_path / "data", "binance")
    cut = 1_500
    for i, name in enumerate(names):
        bars = source.read(name, "1h", None, None)[-2_400:]
        kept = np.ones(len(bars), bool)
        kept[cut + 100 + 40 * i : cut + 100 + 40 * i + 7 * (i + 1)] = False
        store.write(Bars(bars.time[kept], bars.values[kept], "1h", name, "binance"))
    start = int(source.read(names[0], "1h", None, None)[-2_400:].time[cut])
    feed = ReplayFeed(store, names, speed=1e7, start=start, base="1h")
    done = asyncio.Event()

    class Ending(ReplayFeed):
        async def stream(self):
            async for event in super().stream():
                yield event
            done.set()

    feed.__class__ = Ending
    await live(agent_of(feed, tmp_path / "s", ("1h", "4h", "1d")), done)
    found = verify(tmp_path / "s")
    require_equal(found, trades=10)
    assert found.source == "replay:binance"


FAULTS = (
    {"kind": "gap", "symbols": ["ETH/USDT"], "probability": 0.1, "seed": 1},
    {"kind": "lost_close", "symbols": ["SOL/USDT"], "probability": 0.1, "seed": 2},
    {"kind": "correction", "symbols": ["XRP/USDT"], "probability": 0.05, "seed": 3},
    {"kind": "spike", "symbols": ["SOL/USDT"], "probability": 0.01, "factor": 1.5, "seed": 4},
    {"kind": "drop", "after_s": 5.0, "times": 3},
    {"kind": "stall", "after_s": 8.0, "for_s": 2.0},
)


@pytest.mark.slow
async def test_exchange_full_of_faults_is_found_again(tmp_path) -> None:
    """Bars come late, never, or otherwise than before, and connections break."""
    speed, names = 600.0, ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
    tuning = replace(
        Tuning(lines=settings_for("1m", speed)), grace_ms=int(50 * speed), hold_ms=int(250 * speed)
    )
    async with LocalExchange(names, speed=speed) as exchange, asyncio.timeout(120):
        feed = ExchangeFeed(
            "binance", names, url=exchange.url, folder=tmp_path / "feed", tuning=tuning
        )
        paper = PaperTrading(rules=TradeRules(**EAGER), decision_timeframe="15m")
        agent = Agent(
            feed, timeframes=("5m", "15m", "1h"), trading=paper, session=tmp_path / "s"
        )
        await agent.start()
        for fault in FAULTS:
            exchange.faults.order(fault)
        while agent._desk.frames.n_batches < 300:
            await asyncio.sleep(0.05)
            assert agent.running, agent.last_error
        await agent.stop()
        agent.close()
    found = verify(tmp_path / "s")
    require_equal(found, trades=1)
    session = read(read_session(tmp_path / "s"))
    assert any("late" in o.arrays for o in session.outcomes)
    assert any(o.faults is not None for o in session.outcomes)
    assert any(c.kind == "adopt" for c in session.calls)


# -- a log that was changed, or breaks off -------------------------------------------------------


def rewrite(folder: Path, target: Path, change) -> Path:
    """Copy a session, each frame as `change` gives it; checksums are right again."""
    target.mkdir()
    header = json.loads((folder / HEADER).read_text())
    (target / HEADER).write_text(json.dumps(header))
    with (target / LOG).open("wb") as file:
        for place, stored in enumerate(FrameFile(folder / LOG)):
            file.writelines(sealed(pack(change(place, stored.frame))))
    return target


def test_copy_of_a_session_is_as_good(plain, tmp_path) -> None:
    require_equal(verify(rewrite(plain, tmp_path / "copy", lambda _, frame: frame)))


def test_one_changed_price_is_found_and_named(plain, tmp_path) -> None:
    updates = [
        i for i, s in enumerate(FrameFile(plain / LOG)) if s.frame.kind == "update"
    ]

    def change(place: int, frame: Frame) -> Frame:
        if place != updates[100]:
            return frame
        values = frame.arrays["values"].copy()
        values[1, 3] *= 1.0001
        return replace(frame, arrays=dict(frame.arrays) | {"values": values})

    found = verify(rewrite(plain, tmp_path / "bad", change))
    assert not found.equal
    assert found.divergence.cause == "data"
    assert "bars in the log" in found.divergence.reason
    assert "batch 100" in found.divergence.reason
    assert found.divergence.batch >= 100


def test_changed_config_and_outcome_are_told_apart(plain, tmp_path) -> None:
    def weights(_: int, frame: Frame) -> Frame:
        if frame.kind != "config":
            return frame
        return replace(frame, meta=frame.meta | {"weights": [0.5, *frame.meta["weights"][1:]]})

    found = verify(rewrite(plain, tmp_path / "config", weights))
    assert found.divergence.cause == "config"

    def fill(_: int, frame: Frame) -> Frame:
        if "fills" not in frame.arrays:
            return frame
        fills = frame.arrays["fills"].copy()
        fills["price"] += 0.01
        return replace(frame, arrays=dict(frame.arrays) | {"fills": fills})

    found = verify(rewrite(plain, tmp_path / "fill", fill))
    assert (found.divergence.cause, found.divergence.kind) == ("data", "fills")
    assert found.divergence.field == "price"
    assert found.divergence.recorded == pytest.approx(found.divergence.replayed + 0.01)
    assert "outcomes" in found.divergence.reason


def test_changed_header_is_named(plain, tmp_path) -> None:
    bad = rewrite(plain, tmp_path / "bad", lambda _, frame: frame)
    header = json.loads((bad / HEADER).read_text())
    (bad / HEADER).write_text(json.dumps(header | {"cash": 1.0}))
    assert verify(bad).divergence.cause == "header"


def test_other_kernels_are_named(plain, monkeypatch) -> None:
    monkeypatch.setattr("opportunity.backtest.divergence.VERSION", "other")
    assert verify(plain).equal  # they do the same

    def other(history, config):
        found = judged(history, config)
        table = found.table.copy()
        table["side"] *= np.where(table["batch"] > 50, -1, 1)
        return replace(found, table=table)

    from opportunity.backtest import replay as module

    judged = module._judged
    monkeypatch.setattr(module, "_judged", other)
    found = verify(plain)
    assert found.divergence.cause == "code version"
    assert found.divergence.kind == "signals"


@pytest.mark.parametrize("lost", [1, 300, 5_000])
def test_torn_tail_is_left_out(plain, tmp_path, lost) -> None:
    torn = rewrite(plain, tmp_path / "torn", lambda _, frame: frame)
    data = (torn / LOG).read_bytes()
    (torn / LOG).write_bytes(data[:-lost])
    found = verify(torn)
    assert found.equal
    assert found.torn > 0
    assert found.n_batches < verify(plain).n_batches


def test_log_that_ends_before_the_first_batch_is_an_error(plain, tmp_path) -> None:
    torn = rewrite(plain, tmp_path / "torn", lambda _, frame: frame)
    (torn / LOG).write_bytes((torn / LOG).read_bytes()[:100])
    with pytest.raises(SessionError, match="ended before the first"):
        verify(torn)


def test_session_that_was_stopped_before_its_first_batch_is_an_error(plain, tmp_path) -> None:
    torn, kept = tmp_path / "torn", []
    for stored in FrameFile(plain / LOG):
        kept.append(stored.frame)
        if stored.frame.kind == "ready":
            break
    torn.mkdir()
    (torn / HEADER).write_text((plain / HEADER).read_text())
    (torn / LOG).write_bytes(b"".join(b"".join(sealed(pack(frame))) for frame in kept))
    with pytest.raises(SessionError, match="must hold batches, ended before the first"):
        verify(torn)
