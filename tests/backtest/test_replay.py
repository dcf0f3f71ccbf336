import asyncio

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live

from opportunity.backtest.replay import SAID, _setups, replay
from opportunity.backtest.session_input import Session, read
from opportunity.storage.session import read_session
from opportunity.trading.records import END


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
