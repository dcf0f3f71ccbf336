"""Read and write what must survive a restart; each write is one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from opportunity.errors import ConflictError, unknown
from opportunity.storage.accounts import AccountRepository
from opportunity.storage.bar_notes import BarNoteRepository
from opportunity.storage.decisions import DecisionRepository
from opportunity.storage.events import Event, EventRepository, add_events
from opportunity.storage.extents import Extent, extents
from opportunity.storage.idempotency import IdempotencyRepository
from opportunity.storage.lease import Lease
from opportunity.storage.ledger import Ledger
from opportunity.storage.observations import ObservationRepository
from opportunity.storage.outbox import Outbox
from opportunity.storage.outcomes import OutcomeRepository
from opportunity.storage.price_alerts import PriceAlertRepository
from opportunity.storage.promotions import PromotionRepository
from opportunity.storage.pruning import Pruner
from opportunity.storage.samples import SampleRepository
from opportunity.storage.shadows import ShadowRepository
from opportunity.storage.tables import preset, setting, weights_version
from opportunity.storage.transactions import repeated, told
from opportunity.storage.trials import TrialRepository
from opportunity.storage.turned import TurnedRepository
from opportunity.storage.watchlists import WatchlistRepository

Clock = Callable[[], int]
"""Gives the wall time in ms UTC."""


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """One version of the weights; `created_at` in ms UTC."""

    version: int
    weights: dict[str, float]
    set_by: str
    created_at: int


class SettingRepository:
    """Named values: agent on or off, heartbeat, subscriptions, the feed's time."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def read(self) -> dict[str, Any]:
        """Return all settings by name."""
        with told("settings must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(sa.select(setting.c.name, setting.c.value))
            return {name: value for name, value in rows}

    def write(self, *events: Event, **values: Any) -> None:
        """Set the named values together, with events that say so."""
        now = self._clock()

        def replace(connection: sa.Connection) -> None:
            for name, value in values.items():
                connection.execute(sa.delete(setting).where(setting.c.name == name))
                connection.execute(
                    sa.insert(setting).values(name=name, value=value, updated_at=now)
                )
            add_events(connection, events, now)

        repeated(self._engine, replace, "settings must be kept, were not")


class WeightsRepository:
    """Every version of the weights that was ever applied."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def newest(self) -> StoredWeights | None:
        """Return the version in force; None before the first was applied."""
        with told("weights must be readable, were not"), self._engine.connect() as connection:
            row = connection.execute(_newest()).first()
        return None if row is None else StoredWeights(*row)

    def read(self, limit: int = 30) -> tuple[StoredWeights, ...]:
        """Return the newest versions, newest first."""
        with told("weights must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(_newest().limit(limit)).all()
        return tuple(StoredWeights(*row) for row in rows)

    def add(
        self, weights: Mapping[str, float], set_by: str, expected: int | None = None,
        events: Sequence[Event] = (),
    ) -> StoredWeights:
        """Store a new version.

        Parameters
        ----------
        weights : mapping
            Weight by detector.
        set_by : str
            Who set it: ``page``, ``api``, ``python`` or ``start``.
        expected : int, optional
            The version that the caller changed.
        events : sequence of Event
            That say so, stored in the same transaction.

        Raises
        ------
        ConflictError
            If `expected` is given and a newer version exists.
        """

        def append(connection: sa.Connection) -> StoredWeights:
            row = connection.execute(_newest()).first()
            version = 0 if row is None else row[0]
            if expected is not None and expected != version:
                raise ConflictError(f"weights must be of version {version}, was {expected}")
            stored = StoredWeights(version + 1, dict(weights), set_by, self._clock())
            connection.execute(
                sa.insert(weights_version).values(
                    version=stored.version, weights=stored.weights,
                    set_by=set_by, created_at=stored.created_at,
                )
            )
            said = [replace(e, body={**e.body, "version": stored.version}) for e in events]
            add_events(connection, said, stored.created_at)
            return stored

        return repeated(self._engine, append, "weights must be kept, were not")


def _newest() -> sa.Select[Any]:
    columns = weights_version.c
    chosen = sa.select(columns.version, columns.weights, columns.set_by, columns.created_at)
    return chosen.order_by(columns.version.desc()).limit(1)


class PresetRepository:
    """Weights that people saved under a name."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def read(self) -> dict[str, dict[str, float]]:
        """Return the saved presets by name, in the order of their names."""
        with told("presets must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(sa.select(preset.c.name, preset.c.weights).order_by("name"))
            return {name: dict(weights) for name, weights in rows}

    def write(self, name: str, weights: Mapping[str, float], *events: Event) -> None:
        """Save or replace a preset, with events that say so."""
        now = self._clock()

        def replace(connection: sa.Connection) -> None:
            connection.execute(sa.delete(preset).where(preset.c.name == name))
            connection.execute(
                sa.insert(preset).values(name=name, weights=dict(weights), updated_at=now)
            )
            add_events(connection, events, now)

        repeated(self._engine, replace, "preset must be kept, was not")

    def delete(self, name: str, *events: Event) -> None:
        """Delete a preset, with events that say so.

        Raises
        ------
        KeyError
            If there is none of that name.
        """

        def remove(connection: sa.Connection) -> None:
            gone = connection.execute(sa.delete(preset).where(preset.c.name == name))
            if gone.rowcount == 0:
                names = connection.execute(sa.select(preset.c.name)).scalars()
                raise KeyError(unknown("preset", name, names))
            add_events(connection, events, now)

        now = self._clock()
        repeated(self._engine, remove, "preset must be deleted, was not")


class Memory:
    """All repositories over one engine."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self.settings = SettingRepository(engine, clock)
        self.weights = WeightsRepository(engine, clock)
        self.presets = PresetRepository(engine, clock)
        self.events = EventRepository(engine, clock)
        self.turned = TurnedRepository(engine, clock)
        self.watchlists = WatchlistRepository(engine, clock)
        self.idempotency = IdempotencyRepository(engine, clock)
        self.outbox = Outbox(engine, clock)
        self.accounts = AccountRepository(engine, clock)

    def observations(self, market: str) -> ObservationRepository:
        """Return the store of the records of one market, e.g. ``simulated-7``."""
        return ObservationRepository(self._engine, market)

    def ledger(self, market: str) -> Ledger:
        """Return the books of one market, e.g. ``simulated-7``."""
        return Ledger(self._engine, market, self._clock)

    def price_alerts(self, market: str) -> PriceAlertRepository:
        """Return the prices of one market that people want to be told of."""
        return PriceAlertRepository(self._engine, market, self._clock)

    def bar_notes(self, market: str) -> BarNoteRepository:
        """Return the store of what happened to single bars of one market."""
        return BarNoteRepository(self._engine, market)

    def outcomes(self, market: str) -> OutcomeRepository:
        """Return the store of what became of one market's candidates."""
        return OutcomeRepository(self._engine, market)

    def decisions(self, market: str) -> DecisionRepository:
        """Return the log of one market's decisions."""
        return DecisionRepository(self._engine, market)

    def samples(self, market: str) -> SampleRepository:
        """Return one market's judged candidates as arrays."""
        return SampleRepository(self._engine, market)

    def shadows(self, market: str) -> ShadowRepository:
        """Return the store of the challengers, with their books of one market."""
        return ShadowRepository(self._engine, market, self._clock)

    def trials(self) -> TrialRepository:
        """Return the counter of everything that was tried on any data."""
        return TrialRepository(self._engine)

    def promotions(self) -> PromotionRepository:
        """Return the record of promoted weights."""
        return PromotionRepository(self._engine)

    def pruner(self, days: Mapping[str, int]) -> Pruner:
        """Return what lets go of rows older than these days, by table."""
        return Pruner(self._engine, days, self._clock)

    def extents(self) -> tuple[Extent, ...]:
        """Return how much the tables hold that are pruned; blocks for a while."""
        return extents(self._engine)

    def lease(self, market: str) -> Lease:
        """Return the right to trade one market, not held yet."""
        return Lease(self._engine, f"trading {market}", clock=self._clock)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
