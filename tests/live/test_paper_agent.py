import numpy as np
import pytest
from sessions import FRAMES, WARM, StepFeed, agent_of, live

from opportunity.errors import OpportunityError
from opportunity.live.agent import Agent
from opportunity.live.config import Challenger
from opportunity.live.paper_agent import PaperAgent
from opportunity.trading.costs import Sizing


def test_agent_is_one() -> None:
    assert issubclass(Agent, PaperAgent)


def test_sizing_is_taken_whole_or_not_at_all() -> None:
    agent = agent_of(StepFeed(), None)
    agent.set_sizing(Sizing.fixed(0.3))
    assert agent._core.config.trade.sizing == Sizing.fixed(0.3)
    agent.trading.rules.stop_atr = 0.0
    with pytest.raises(ValueError, match="by risk"):
        agent.set_sizing(Sizing.risk(0.02))
    assert agent.trading.sizing == Sizing.fixed(0.3)
    agent.close()
    alone = Agent(StepFeed(), timeframes=FRAMES)
    with pytest.raises(OpportunityError, match="must trade on paper"):
        alone.set_sizing(Sizing.fixed(0.3))
    alone.close()


def test_challengers_are_in_the_config() -> None:
    agent = agent_of(StepFeed(), None)
    before = agent._core.config.version
    agent.set_challengers((Challenger("calm", np.full(9, 1 / 9)),))
    assert [c.name for c in agent._core.config.challengers] == ["calm"]
    assert agent._core.config.version > before
    agent.close()


async def test_portfolio_follows_the_account() -> None:
    feed = StepFeed()
    agent = agent_of(feed, None)
    seen = []
    agent.portfolio.param.watch(lambda e: seen.append(e.new), "state")
    feed.steps = [feed.batch(b, (0, 1, 2)) for b in range(WARM, WARM + 100)]
    await live(agent, feed.done)
    assert len(seen) > 2
    times = [state.time for state in seen]
    assert times == sorted(times)
    assert agent.portfolio.n_trades == agent._desk.trader.broker.account["n_trades"][0]
    assert agent.portfolio.source == "simulated"
    with pytest.raises(OpportunityError, match="does not"):
        await agent.flatten("page")  # it has stopped


async def test_its_loop_is_known_and_nothing_waits_without_books() -> None:
    agent = agent_of(StepFeed(), None)
    assert agent.loop is None
    assert agent.n_unstored == 0
    agent.close()
