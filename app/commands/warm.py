"""`opportunity warm`: compile the numeric kernels now, so that the first start is quick."""

import argparse


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    parser = verbs.add_parser(
        "warm",
        help="compile the numeric kernels ahead of the first start",
        description="Compile every numeric kernel and keep the machine code in the data folder; "
        "code of other versions is deleted. Takes about a minute once, a second afterwards.",
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

    async def once() -> None:
        agent = Agent(SimulatedFeed(symbols=["BTC/USDT", "ETH/USDT"], speed=6_000.0))
        await agent.start()
        await asyncio.sleep(0.5)
        await agent.stop()
        agent.close()

    with Console(file=sys.stderr).status("compiling kernels (once, about a minute)"):
        asyncio.run(once())
    prune()
    return 0
