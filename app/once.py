"""Commands under a key of their caller: asked again they are answered, not done again."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from opportunity.errors import OpportunityError
from opportunity.storage.failures import DatabaseError
from opportunity.storage.idempotency import Answered, IdempotencyRepository

logger = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[tuple[int, Any]]]


class KeyTakenError(OpportunityError, ValueError):
    """Raised when a key comes again with another request."""


class Once:
    """Does what comes under one key once.

    Parameters
    ----------
    kept : IdempotencyRepository
        Where answers are kept, also over a restart.

    Notes
    -----
    The answer is kept after the work is done. A server that dies between the two does the same
    again when it is asked again, so work must stand that: leaving a position that is being left.
    """

    def __init__(self, kept: IdempotencyRepository) -> None:
        self._kept = kept
        self._busy: dict[str, tuple[asyncio.Lock, int]] = {}  # with how many ask by it now

    async def answer(
        self, route: str, key: str | None, asked: Mapping[str, Any], work: Work
    ) -> tuple[int, Any]:
        """Return HTTP status and JSON of the answer, of the first request of this key.

        Parameters
        ----------
        route : str
            What is asked for; a key belongs to one.
        key : str or None
            Without one, the work is done.
        asked : mapping
            The request, plain values.
        work : callable
            Does it; what it raises is not kept.

        Raises
        ------
        KeyTakenError
            If the key was used for another request.
        """
        if key is None:
            return await work()
        name = f"{route} {key}"
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        lock, before = self._busy.get(name, (asyncio.Lock(), 0))
        self._busy[name] = lock, before + 1
        try:
            async with lock:
                known = await asyncio.to_thread(self._kept.find, name)
                if known is None:
                    known = await self._work(name, digest, work)
        finally:
            left = self._busy[name][1] - 1
            self._busy[name] = lock, left
            if not left:
                del self._busy[name]
        if known.digest != digest:
            raise KeyTakenError("Idempotency-Key was used for another request")
        return known.status, known.answer

    async def _work(self, name: str, digest: str, work: Work) -> Answered:
        status, answer = await work()
        done = Answered(digest, status, answer)
        try:
            return await asyncio.to_thread(self._kept.keep, name, done)
        except DatabaseError as error:  # it is done: saying otherwise would have it done twice
            logger.warning("answer not kept", route=name.partition(" ")[0], error=str(error))
            return done
