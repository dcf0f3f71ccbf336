import asyncio
from dataclasses import replace

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live

from opportunity.backtest.replay import SAID, _setups, plain, replay
from opportunity.backtest.session_input import BEFORE, Hand, Session, read
from opportunity.storage.session import read_session
from opportunity.trading.broker import PaperBroker
from opportunity.trading.records import END, MANUAL, OPEN, STATUSES, STREAK


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> Session:
    folder, feed = tmp_path_factory.mktemp("replay") / "s", StepFeed(1)
    agent = agent_of(feed, folder)

    async def run() -> None:
        feed.steps = [
            *(feed.batch(b, (0,)) for b in range(WARM, WARM + 100)),
            lambda: setattr(agent.trading.rules, "time_stop", 3),
            lambda: setattr(agent, "enabled", False),
            *(feed.batch(b, (0,)) for b in range(WARM + 100, WARM + 150)),
        ]
        await live(agent, feed.done)

    asyncio.run(run())
    return read(read_session(folder))


def test_replay_needs_nothing_of_what_came_out(lived) -> None:
    before = replay(lived)
    for outcome in lived.outcomes:
        assert isinstance(outcome.arrays, dict)
        for name in ("decisions", "said", "fills", "trades", "orders", "order_numbers"):
            outcome.arrays.pop(name, None)
    after = replay(lived)
    for name in ("decisions", "said", "orders", "fills", "trades", "equity"):
        assert getattr(after, name).tobytes() == getattr(before, name).tobytes()
    assert after.fills.size > 0
    assert after.said.shape == (after.decisions.size, len(SAID))


def test_nothing_ends_because_the_session_does(lived) -> None:
    found = replay(lived)
    assert not (found.fills["reason"] == END).any()
    assert not (found.trades["reason"] == END).any()
    assert found.equity.size == lived.n_batches


def test_setup_holds_from_the_batch_after_it_was_judged_under(lived) -> None:
    stops = np.array([s.rules.time_stop for s in _setups(lived)])
    assert (stops[:101] == 24).all()
    assert (stops[101:] == 3).all()


def test_nothing_is_entered_while_off(lived) -> None:
    found = replay(lived)
    assert not found.decisions["side"][found.decisions["batch"] >= 100].any()
    assert found.decisions["side"][found.decisions["batch"] < 100].any()


def hand(what: str, batch: int, **parts) -> Hand:
    return Hand(what, batch, parts.get("reason", BEFORE), parts.get("index", BEFORE),
                np.array(parts.get("rows", ()), np.int64))  # fmt: skip


def held_after(lived: Session) -> int:
    """A batch after which something is held for some more."""
    found = replay(lived)
    trade = found.trades[np.argmax(found.trades["closed"] - found.trades["opened"])]
    times = found.history.batches.time
    return int(np.searchsorted(times, trade["opened"])) + 2


def test_what_was_done_by_hand_is_done_again(lived) -> None:
    batch = held_after(lived)
    assert not plain(lived, _setups(lived))  # a rule was turned
    times = replay(lived).history.batches.time
    turned = replace(lived, hands=[hand("leave", batch, reason=MANUAL, rows=[0])])
    found = replay(turned)
    (left,) = found.fills[found.fills["reason"] == MANUAL]
    assert left["time"] == times[batch]  # the next open is this close
    order = found.orders[found.orders["reason"] == MANUAL][0]
    assert order["time"] == times[batch]
    gone = replay(replace(lived, hands=[hand("forget", batch, rows=[0])]))
    assert (gone.fills["reason"] == MANUAL + 1).sum() == 1
    with pytest.raises(ValueError, match="hand must be a known name"):
        replay(replace(lived, hands=[hand("wave", 3)]))


def test_stale_data_refuses_entries_again(lived) -> None:
    before = replay(lived)
    stale = [replace(o, stale=OPEN) for o in lived.outcomes]
    found = replay(replace(lived, outcomes=stale))
    assert found.fills.size == 0
    assert before.fills.size > 0
    assert "stale_data" in {STATUSES[s] for s in found.orders["status"]}


def test_an_account_from_before_goes_on(lived) -> None:
    """Trading begins with a position, a count and open breakers, some of which a hand closes."""
    setup = lived.configs[lived.first_config].setup
    broker = PaperBroker(lived.symbols, setup.terms(), 5_000.0)
    account, positions = broker.account, broker.positions
    account["n_orders"], account["n_fills"], account["n_trades"] = 40, 60, 20
    account["n_open"], account["n_entries"], account["losses"] = 1, 21, 4
    account["breaker"][0, STREAK], account["until"][0, STREAK] = OPEN, 2**60
    for name, value in (
        ("side", 1), ("quantity", 2.0), ("initial", 2.0), ("entry", 100.0), ("mark", 100.0),
        ("flow", -200.0), ("number", 20),
    ):
        positions[name] = value
    arrays = {"account": account, "tally": broker.tally, "positions": positions}
    found = replay(replace(lived, account=arrays))
    assert set(found.orders["status"][found.orders["reason"] == 0].tolist()) == {7}
    assert found.trades["number"].tolist() == [20]
    assert found.equity[0] != 5_000.0
    free = replay(replace(
        lived, account=arrays, hands=[hand("reset_breaker", BEFORE, index=STREAK)]
    ))  # fmt: skip
    assert free.trades.size > 1
    assert free.trades["number"].tolist() == list(range(20, 20 + free.trades.size))
    assert account["n_orders"][0] == 40  # what was recorded is left alone
