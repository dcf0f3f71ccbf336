"""A scan on request: from what the agent has scored, or from history where it has not."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from opportunity.errors import unknown
from opportunity.live.agent import Agent
from opportunity.live.histories import load_feed
from opportunity.live.scan_report import ScanReport, stale_streams
from opportunity.live.scanner import judge
from opportunity.market.bars import FloatArray
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import timeframe
from opportunity.measured import MEASURED
from opportunity.scoring.rules import Rules
from opportunity.strategy import evaluate


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is scanned, under what.

    Parameters
    ----------
    symbols, timeframes : sequence of str
        What cannot be scanned is listed in the report's errors.
    weights : ndarray, shape (n_detectors,)
    rules : Rules
    quick : bool
        Use only what the agent has scored already, where it has scored any of it.
    """

    symbols: Sequence[str]
    timeframes: Sequence[str]
    weights: FloatArray
    rules: Rules
    quick: bool = False


async def scan(agent: Agent, asked: Asked, now: int) -> ScanReport:
    """Scan symbols and timeframes of an agent's feed.

    Parameters
    ----------
    agent : Agent
        Running.
    asked : Asked
    now : int
        Feed time that the answer is about, ms UTC.

    Raises
    ------
    ValueError
        If a timeframe is unknown, or there is none.
    """
    began = time.perf_counter()
    known = agent.calibration(asked.weights)
    names, errors = _sort_out(asked.symbols, agent.symbols)
    frames = tuple(dict.fromkeys(timeframe(t) for t in asked.timeframes))
    if not frames:
        raise ValueError("timeframes must be a list of one or more, was empty")
    live = tuple(t for t in frames if t in agent.timeframes)
    snapshot = agent.snapshot()
    if snapshot is not None and (live == frames or (asked.quick and live)):
        errors |= {t: "not scored by the agent" for t in frames if t not in live}
        evaluation = evaluate(
            snapshot, asked.weights, asked.rules, live, names, calibration=known
        )
        stale = stale_streams(evaluation.snapshot)
        MEASURED.count("cache_hits", label="scan")
        took = (time.perf_counter() - began) * 1e3
        return ScanReport(snapshot.time, False, evaluation, stale, (), errors, took)
    MEASURED.count("cache_misses", label="scan")
    histories = await agent.ask(load_feed(agent.feed, names, frames, now))
    histories.errors |= errors
    histories.live = snapshot
    histories.observers = agent.observers(names)
    return await asyncio.to_thread(
        judge, histories, asked.weights, asked.rules, now, began, known
    )


def _sort_out(
    symbols: Sequence[str], watched: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Part the symbols that are watched from errors for the others."""
    names: dict[str, None] = {}
    errors = {}
    for text in symbols:
        try:
            name = parse_symbol(text)
        except ValueError as error:
            errors[text] = str(error)
            continue
        if name in watched:
            names[name] = None
        else:
            errors[name] = unknown("symbol", name, watched)
    return list(names), errors
