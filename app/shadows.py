"""Challengers as handlers and pages use them: added, stopped, compared with the champion.

They trade in the agent (`live/shadows.py`) and are kept by the ledger; here people's wishes are
checked and stored, and stored marks of both accounts are compared.
"""

import asyncio
from collections.abc import Mapping

import structlog

from app.audit import Audit
from app.comparisons import Comparisons, ShadowState, ShadowStory
from app.names import state_name
from app.presets import check_name, check_weights
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.errors import ConflictError
from opportunity.feeds.clock import wall_ms
from opportunity.live.agent import Agent
from opportunity.live.config import Challenger
from opportunity.scoring.comparison import Comparison
from opportunity.scoring.ensemble import weight_array
from opportunity.storage.repositories import Memory
from opportunity.storage.shadows import Shadow, ShadowRepository, Standing

logger = structlog.get_logger(__name__)

class Shadows:
    """The challengers of one server.

    Parameters
    ----------
    kept : ShadowRepository
    agent : Agent
        Runs them; those that ran before are given to it here, before it starts.
    audit : Audit
        Where it is written down who added and stopped them.
    hub : Hub
        Told every change, under the topic ``config``.
    """

    def __init__(self, kept: ShadowRepository, agent: Agent, audit: Audit, hub: Hub) -> None:
        self._kept, self._agent, self._audit, self._hub = kept, agent, audit, hub
        self._changing = asyncio.Lock()  # what runs and what is stored change together
        self._comparisons = Comparisons(kept)
        self._running: dict[str, Challenger] = {}
        for shadow in kept.read():
            if shadow.stopped_at is None:
                self._begin(shadow)
        self._apply()

    @classmethod
    def of(cls, settings: Settings, memory: Memory, agent: Agent, hub: Hub) -> "Shadows":
        """Return the challengers of a server."""
        audit = Audit(memory.events, lambda: agent.time or 0)
        return cls(memory.shadows(state_name(settings)), agent, audit, hub)

    # -- what is ---------------------------------------------------------------------------------

    async def all(self) -> tuple[ShadowState, ...]:
        """Return those that run, oldest first, then those that have ended, newest first.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        return await asyncio.to_thread(
            lambda: tuple(map(self._comparisons.state, self._kept.read()))
        )

    async def state(self, name: str) -> ShadowState:
        """Return one of them; KeyError where there is none of that name."""
        return await asyncio.to_thread(lambda: self._comparisons.state(self._kept.find(name)))

    async def story(self, name: str) -> ShadowStory:
        """Return one of them with curves; KeyError where there is none of that name."""
        return await asyncio.to_thread(lambda: self._comparisons.story(self._kept.find(name)))

    async def champion(self) -> Standing | None:
        """Return the account of the champion; None before it trades."""
        return await asyncio.to_thread(self._kept.standing)

    async def compare(self, name: str) -> Comparison:
        """Return how a challenger compares; KeyError where there is none of that name."""
        return (await self.state(name)).comparison

    # -- what people do --------------------------------------------------------------------------

    async def add(
        self, name: str, weights: Mapping[str, float], by: str, note: str = ""
    ) -> ShadowState:
        """Run weights on paper from the next batch on; stored first.

        Parameters
        ----------
        name : str
            Never used before.
        weights : mapping
            All nine weights, each in [0, 1], summing to 1 within 0.01.
        by : str
            Who: ``page``, ``api`` or ``python``.
        note : str
            At most 200 characters.

        Raises
        ------
        ValueError
            If the name or a weight breaks a rule.
        ConflictError
            If the name was ever used, too many run, or the agent does not trade.
        DatabaseError
            If it cannot be stored; nothing has changed then.
        """
        check_name(name)
        checked = check_weights(weights)
        if self._agent.trading is None:
            raise ConflictError("agent must trade on paper to be challenged, does not")
        if len(note) > 200:
            raise ValueError(f"note must be at most 200 characters, was {len(note)}")
        async with self._changing:
            shadow = await asyncio.to_thread(self._kept.add, name, checked, note)
            self._begin(shadow)
            self._apply()
        await self._tell("added", shadow, by)
        return await self.state(name)

    async def remove(self, name: str, by: str) -> ShadowState:
        """End a challenger; what it did stays. Doing it twice is the same as once.

        Raises
        ------
        KeyError
            If there is none of that name.
        DatabaseError
            If it cannot be stored; nothing has changed then.
        """
        async with self._changing:
            before = await asyncio.to_thread(self._kept.find, name)
            shadow = await asyncio.to_thread(self._kept.stop, name)
            self._running.pop(name, None)
            self._apply()
        if before.stopped_at is None:
            await self._tell("stopped", shadow, by)
        return await self.state(name)

    # -- inside ----------------------------------------------------------------------------------

    def _begin(self, shadow: Shadow) -> None:
        try:
            self._running[shadow.name] = Challenger(shadow.name, weight_array(shadow.weights))
        except ValueError as error:  # stored by another version, with other detectors
            logger.warning("challenger not run", name=shadow.name, error=str(error))

    def _apply(self) -> None:
        self._agent.set_challengers(tuple(self._running.values()))

    async def _tell(self, what: str, shadow: Shadow, by: str) -> None:
        after = {"name": shadow.name, "weights": shadow.weights, "note": shadow.note}
        await asyncio.to_thread(self._audit.note, "shadow", by, None, after, what)
        self._hub.emit("config", {
            "what": "shadow", "value": after | {"done": what}, "version": None, "by": by,
            "ts": wall_ms(),
        })  # fmt: skip
