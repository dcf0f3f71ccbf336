"""What the Journal page reads: signals under filters, statistics, challengers; all on threads."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.components.challengers import challengers_state, story_state
from app.components.decay import decay_state
from app.components.decisions import gates_state, untraded_state
from app.components.island import dumps
from app.components.journal_summary import summary_state
from app.components.outcomes import led_by, outcomes_state
from app.components.reliability import reliability_state
from app.journal_figures import Verdict, detectors, reliability_of, verdict
from opportunity.scoring.reliability import Reliability
from opportunity.storage.decisions import MOST_READ, Chosen, Decision
from opportunity.storage.samples import Samples

if TYPE_CHECKING:
    from app.services import Services

MOST_LOOKED: Final = 2_000
"""Decisions that are looked at to find those led by a detector."""

N_UNTRADED: Final = 40


@dataclass(frozen=True, slots=True)
class Filters:
    """Which signals are asked for; `detector` empty for any."""

    chosen: Chosen = field(default_factory=Chosen)
    detector: str = ""
    wanted: int = 100


async def read_signals(services: "Services", filters: Filters) -> str:
    """Return the state of `OutcomesTable` as JSON, the newest signals that fit.

    Raises
    ------
    DatabaseError
        If the database cannot be read.
    """
    found: list[Decision] = []
    after: int | None = None
    looked = 0
    while True:
        limit = MOST_READ if filters.detector else filters.wanted - len(found)
        page = await services.journal.decisions(filters.chosen, limit, after)
        looked, after = looked + len(page.decisions), page.after
        found += [d for d in page.decisions if filters.detector in ("", led_by(d))]
        if after is None or len(found) >= filters.wanted or looked >= MOST_LOOKED:
            break
    more = after is not None or len(found) > filters.wanted
    kept, symbols, source = found[: filters.wanted], services.symbols, services.source
    return await asyncio.to_thread(
        lambda: dumps(outcomes_state(kept, more, looked, symbols, source))
    )


async def read_figures(services: "Services", horizon: int) -> dict[str, str]:
    """Return the states of the other parts by name, as JSON.

    Raises
    ------
    DatabaseError
        If the database cannot be read.
    """
    journal = services.journal
    tally = await journal.tally()
    samples, parts = await journal.figures("page", _parts, horizon)
    _, verdicts = await journal.figures("detectors", detectors, horizon)
    _, (success, confidence) = await journal.figures("reliability", _curves, horizon)
    _, found = await journal.gates(horizon)
    untraded = await journal.decisions(Chosen(untraded=True), N_UNTRADED)
    alarms = journal.alarms
    n = len(samples)
    about = {
        "source": services.source, "error": journal.error,
        "first": int(samples.time[0]) if n else None, "last": int(samples.time[-1]) if n else None,
    }  # fmt: skip
    decays = {} if alarms is None else alarms.decays
    window_ms = 0 if alarms is None else alarms.window_ms
    trial = None if alarms is None else alarms.trial
    timeframe = journal.timeframe

    def states() -> dict[str, str]:
        return {
            "summary": dumps(summary_state(tally, parts, horizon, timeframe, about)),
            "gates": dumps(gates_state(found, n, horizon)),
            "untraded": dumps(untraded_state(untraded.decisions, horizon)),
            "decay": dumps(decay_state(verdicts, decays, window_ms, horizon)),
            "reliability": dumps(reliability_state(success, confidence, n, horizon, trial)),
        }

    return await asyncio.to_thread(states)


async def read_challengers(services: "Services", chosen: str) -> dict[str, Any]:
    """Return the states of challengers, and the name of the one whose story is told.

    Raises
    ------
    DatabaseError
        If the database cannot be read.
    """
    states = await services.shadows.all()
    champion = await services.shadows.champion()
    names = [state.shadow.name for state in states]
    name = chosen if chosen in names else names[0] if names else ""
    story = await services.shadows.story(name) if name else None
    return {
        "state": dumps(challengers_state(states, champion, services.source)),
        "story": dumps(story_state(story)), "chosen": name,
    }  # fmt: skip


def _parts(samples: Samples) -> dict[str, Verdict]:
    entered = samples.actions == "entered"
    rows = {
        "all": np.ones(len(samples), np.bool_), "entered": entered, "untraded": ~entered,
        "bullish": samples.side > 0, "bearish": samples.side < 0,
    }  # fmt: skip
    return {name: verdict(samples, which, name) for name, which in rows.items()}


def _curves(samples: Samples) -> tuple[Reliability | None, Reliability | None]:
    return reliability_of(samples, samples.success), reliability_of(samples, samples.confidence)
