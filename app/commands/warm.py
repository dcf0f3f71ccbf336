"""`opportunity warm`: compile the numeric kernels now, so that the first start is quick."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opportunity.feeds.simulated import SimulatedFeed
    from opportunity.market.bars import Bars


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    parser = verbs.add_parser(
        "warm",
        help="compile the numeric kernels ahead of the first start",
        description="Compile every numeric kernel and keep the machine code in the data folder; "
        "code of other versions is deleted. Takes about a minute once, a second afterwards.",
    )
    parser.add_argument(
        "--research", action="store_true",
        help="those of backtests and sweeps, too: a minute more; otherwise their first use does it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run a small simulated market through the agent, which touches every kernel."""
    import asyncio
    import sys

    from rich.console import Console

    from opportunity.feeds.simulated import SimulatedFeed
    from opportunity.kernels import prune
    from opportunity.live.agent import Agent
    from opportunity.live.learner import Learner
    from opportunity.trading.setup import TradeSetup

    async def once() -> None:
        feed = SimulatedFeed(symbols=["BTC/USDT", "ETH/USDT"], speed=6_000.0)
        agent = Agent(feed, trading=TradeSetup())
        await agent.start()
        learner = Learner(feed, ["1h"], 1_000)  # the agent's own begins only some seconds later
        await learner.ask(agent.time)
        learner.learn(agent.weights.as_array(), agent.observers(feed.symbols))
        _read_other_records(feed, agent.time)
        await asyncio.sleep(0.5)
        await agent.stop()
        agent.close()

    with Console(file=sys.stderr).status("compiling kernels (once, about a minute)"):
        asyncio.run(once())
        _what_if()
        if args.research:
            _backtest()
    _import_rooms()
    prune()
    return 0


def _what_if() -> None:
    """Run what a slider of the Live page asks for, which is a part of what research runs."""
    import opportunity as op
    from opportunity.backtest.sleeves import Sleeves

    (bars, *_) = _some_bars()
    for frames in (["1h", "4h"], ["1h"]):
        Sleeves([op.prepare(bars, timeframes=frames)]).run()


def _backtest() -> None:
    """Run what research runs, over a few weeks of the simulated market."""
    import numpy as np

    import opportunity as op
    from opportunity.backtest.guards import judge
    from opportunity.backtest.proof import daily_returns, evidence_of
    from opportunity.contracts import DETECTOR_NAMES

    bars = _some_bars()
    op.backtest(bars, timeframes=["1h"])
    history = op.prepare(bars[:1], timeframes=["1h", "4h"])
    result = op.backtest(history)
    matrix = np.eye(len(DETECTOR_NAMES)) + 0.1
    for one in (history, op.prepare(bars[:1], timeframes=["1h"])):
        op.sweep(one, matrix)
        op.WhatIf(one).run(matrix[0])
    returns = daily_returns(result)
    judge(evidence_of(result, result, 9, np.stack([returns, returns, returns], axis=1)))


def _some_bars() -> "list[Bars]":
    """Return some weeks of two simulated symbols."""
    import numpy as np

    from opportunity.feeds.simulation.market import SimulatedMarket
    from opportunity.feeds.simulation.weeks import MARKET_START
    from opportunity.market.bars import Bars
    from opportunity.market.timeframe import HOUR_MS, WEEK_MS

    market = SimulatedMarket(2, seed=7)
    time = MARKET_START + WEEK_MS + HOUR_MS * np.arange(1_500)
    return [
        Bars(time, market.bars(np.array([i]), "1h", time)[0], "1h", name, "simulated")
        for i, name in enumerate(market.symbols)
    ]


def _import_rooms() -> None:
    """Import every module that may hold kernels: code of those not imported would be deleted."""
    import pkgutil
    from importlib import import_module

    import opportunity
    from opportunity.kernels import ROOMS

    for room in ROOMS:
        package = import_module(f"{opportunity.__name__}.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)


def _read_other_records(feed: "SimulatedFeed", now: int) -> None:
    """Read kinds of records that the simulated feed does not stream, but other sources do."""
    import numpy as np

    from opportunity.detectors import Whales
    from opportunity.market.observations import Transfer
    from opportunity.market.timeframe import MINUTE_MS

    symbol = feed.symbols[0]
    then = now - 3 * MINUTE_MS
    taken, stored = (Whales().new_inputs((symbol,)) for _ in range(2))
    books = [feed.context.order_book(symbol, then + 1_000 * i) for i in range(3)]
    taken.take([*books, Transfer(now, now, "simulated", symbol.partition("/")[0], 1.0, "in")])
    taken.take([feed.context.trades(symbol, then, now)])
    stored.take(taken.drain())
    closed = np.array([now])
    for inputs in (taken, stored):
        inputs.rows(np.zeros(1, np.int64), closed - MINUTE_MS, closed)
        inputs.forget(now)
