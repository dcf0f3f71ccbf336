"""The journal: how ideas turned out, whether statements hold, and which detector fades."""

from dataclasses import asdict
from typing import Any, Final

import numpy as np

from app.api.base import BaseHandler
from app.api.operations import operation
from app.auth.roles import Role
from app.journal_alarms import Alarms
from app.journal_figures import Verdict, by_name, detectors, reliability_of, verdict
from opportunity.contracts.journal import (
    AverageItem,
    BinItem,
    DecayItem,
    DetectorItem,
    HorizonItem,
    JournalDecay,
    JournalDetectors,
    JournalQuery,
    JournalReliability,
    JournalSummary,
    JournalSymbols,
    ReliabilityItem,
    TrialItem,
    VerdictItem,
    WindowItem,
)
from opportunity.scoring.averages import Average
from opportunity.scoring.barriers import HORIZON
from opportunity.scoring.decay import LIMIT, RUN_LENGTH, SLACK, Decay
from opportunity.scoring.reliability import Reliability
from opportunity.scoring.trial import ALPHA
from opportunity.storage.outcomes import Tally
from opportunity.storage.samples import Samples

MOST_WINDOWS: Final = 120
"""Windows of a series in an answer."""


class SummaryHandler(BaseHandler):
    """How ideas turned out."""

    @operation(Role.VIEWER, answer=JournalSummary, query=JournalQuery)
    async def get(self) -> None:
        """Return hit rate, mean R and move of all ideas, by action, side and timeframe."""
        asked, journal = self.query(JournalQuery), self.services.journal
        tally = await journal.tally()
        samples, found = await journal.figures(
            "summary", _parts, int(asked.horizon), asked.since
        )
        overall, by_action, by_side, by_timeframe = (
            [verdict_item(v) for v in part] for part in found
        )
        self.send(
            JournalSummary(
                timeframe=journal.timeframe, n_candidates=tally.n_candidates,
                horizons=_horizons(tally), overall=overall[0], by_action=by_action,
                by_side=by_side, by_timeframe=by_timeframe, trial=_trial(journal.alarms),
                error=journal.error, **sampled(samples, self.services.source),
            )
        )  # fmt: skip


class ReliabilityHandler(BaseHandler):
    """Whether stated probabilities hold."""

    @operation(Role.VIEWER, answer=JournalReliability, query=JournalQuery)
    async def get(self) -> None:
        """Return the reliability curve and the Brier score of success and of confidence."""
        asked = self.query(JournalQuery)
        samples, (success, confidence) = await self.services.journal.figures(
            "reliability",
            lambda s: (reliability_of(s, s.success), reliability_of(s, s.confidence)),
            int(asked.horizon), asked.since,
        )  # fmt: skip
        self.send(
            JournalReliability(
                success=_reliability(success), confidence=_reliability(confidence),
                **sampled(samples, self.services.source),
            )
        )  # fmt: skip


class DetectorsHandler(BaseHandler):
    """What each detector knew."""

    @operation(Role.VIEWER, answer=JournalDetectors, query=JournalQuery)
    async def get(self) -> None:
        """Return how the sides of the detectors' contributions turned out, and the score's."""
        asked = self.query(JournalQuery)
        samples, found = await self.services.journal.figures(
            "detectors", detectors, int(asked.horizon), asked.since
        )
        self.send(
            JournalDetectors(
                detectors=[
                    DetectorItem(
                        verdict=verdict_item(one.verdict), agreed=one.agreed,
                        information=one.information,
                    ) for one in found
                ],
                **sampled(samples, self.services.source),
            )
        )  # fmt: skip


class SymbolsHandler(BaseHandler):
    """How ideas turned out by symbol."""

    @operation(Role.VIEWER, answer=JournalSymbols, query=JournalQuery)
    async def get(self) -> None:
        """Return hit rate, mean R and move of the ideas of each symbol."""
        asked = self.query(JournalQuery)
        samples, found = await self.services.journal.figures(
            "symbols", lambda s: by_name(s, s.symbols), int(asked.horizon), asked.since
        )
        self.send(
            JournalSymbols(
                symbols=[verdict_item(v) for v in found],
                **sampled(samples, self.services.source),
            )
        )


class DecayHandler(BaseHandler):
    """Which detector fades."""

    @operation(Role.VIEWER, answer=JournalDecay)
    async def get(self) -> None:
        """Return the rolling information coefficient of each detector with its alarms."""
        alarms = self.services.journal.alarms
        series = {} if alarms is None else alarms.decays
        self.send(
            JournalDecay(
                horizon=HORIZON, window_ms=0 if alarms is None else alarms.window_ms,
                slack=SLACK, limit=LIMIT, run_length=RUN_LENGTH,
                series=[_decay(name, decay) for name, decay in series.items()],
                source=self.services.source,
            )
        )  # fmt: skip


def sampled(samples: Samples, source: str) -> dict[str, Any]:
    """Return the fields of `Sampled`."""
    n = len(samples)
    return {
        "horizon": samples.horizon, "n": n, "source": source,
        "first": int(samples.time[0]) if n else None,
        "last": int(samples.time[-1]) if n else None,
    }  # fmt: skip


def verdict_item(found: Verdict) -> VerdictItem:
    """Return how ideas turned out as it goes over the wire."""
    return VerdictItem(
        name=found.name, hit_rate=_average(found.hit_rate), mean_r=_average(found.mean_r),
        move_atr=_average(found.move_atr),
    )  # fmt: skip


def _parts(samples: Samples) -> tuple[list[Verdict], ...]:
    everything = np.ones(len(samples), np.bool_)
    sides = np.where(samples.side > 0, "BULLISH", "BEARISH")
    return (
        [verdict(samples, everything, "all")], by_name(samples, samples.actions),
        by_name(samples, sides), by_name(samples, samples.timeframes),
    )  # fmt: skip


def _average(found: Average) -> AverageItem:
    return AverageItem(**asdict(found))


def _horizons(tally: Tally) -> list[HorizonItem]:
    return [
        HorizonItem(
            horizon=h, judged=n, unknown=tally.unknown[h],
            open=tally.n_candidates - n - tally.unknown[h],
        ) for h, n in tally.judged.items()
    ]  # fmt: skip


def _trial(alarms: Alarms | None) -> TrialItem | None:
    if alarms is None or alarms.trial is None:
        return None
    trial, some = alarms.trial, alarms.trial.n > 0
    return TrialItem(
        since=alarms.since, n=trial.n, n_cells=trial.ends.size,
        shift=float(trial.shift.mean()) if some else None,
        evidence=float(trial.evidence[-1]) if some else None, limit=1.0 / ALPHA, off=trial.off,
    )  # fmt: skip


def _reliability(found: Reliability | None) -> ReliabilityItem | None:
    if found is None:
        return None
    columns = (found.count, found.stated, found.observed, found.low, found.high)
    bins = [
        BinItem(n=n, stated=stated, observed=observed, low=low, high=high)
        for n, stated, observed, low, high in zip(*(c.tolist() for c in columns), strict=True)
    ]
    names = set(ReliabilityItem.model_fields) - {"bins", "skill"}
    return ReliabilityItem(
        bins=bins, skill=found.skill, **{name: getattr(found, name) for name in names}
    )


def _decay(name: str, decay: Decay) -> DecayItem:
    columns = (decay.start, decay.count, decay.coefficient, decay.fall, decay.alarm)
    rows = list(zip(*(c[-MOST_WINDOWS:].tolist() for c in columns), strict=True))
    return DecayItem(
        name=name, mean=decay.mean,
        fall=float(decay.fall[-1]) if decay.fall.size else None,
        alarms=decay.start[decay.alarm].tolist(),
        windows=[
            WindowItem(start=start, n=n, coefficient=value, fall=fall, alarm=alarm)
            for start, n, value, fall, alarm in rows
        ],
    )  # fmt: skip


routes = [
    ("/api/journal/summary", SummaryHandler),
    ("/api/journal/reliability", ReliabilityHandler),
    ("/api/journal/detectors", DetectorsHandler),
    ("/api/journal/symbols", SymbolsHandler),
    ("/api/journal/decay", DecayHandler),
]
