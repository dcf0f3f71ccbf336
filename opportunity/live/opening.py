"""Opens a market that may not answer at once, for as long as nobody has had enough."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from opportunity.errors import OpportunityError

logger = structlog.get_logger(__name__)

FIRST_S: Final = 1.0
LONGEST_S: Final = 10.0
"""Shortest and longest pause between two attempts, wall seconds; each is twice the one before.
How often a market may really be asked is its feed's business, which keeps out of bans."""


async def opened(
    attempt: Callable[[], Coroutine[Any, Any, None]], halt: asyncio.Event, patient: bool
) -> bool:
    """Make attempts until one succeeds; return False when `halt` is set before.

    Parameters
    ----------
    attempt : callable
        Gives what is awaited; it is cancelled at the halt, and may be made anew after a failure.
    halt : asyncio.Event
        Ends the attempts at once.
    patient : bool
        Whether to try again after a failure that may pass; others are raised.
    """
    pause_s, n = FIRST_S, 0
    halted = asyncio.ensure_future(halt.wait())
    try:
        while True:
            work = asyncio.ensure_future(attempt())
            await asyncio.wait([work, halted], return_when=asyncio.FIRST_COMPLETED)
            if halted.done():
                work.cancel()
                await asyncio.wait([work])
                return False
            error = work.exception()
            if error is None:
                return True
            if not (patient and isinstance(error, OpportunityError) and error.passing):
                raise error
            n += 1
            if n & (n - 1) == 0:  # ever more seldom: it may take days
                logger.warning("market does not answer", error=str(error), again_in_s=pause_s)
            await asyncio.wait([halted], timeout=pause_s)
            if halted.done():
                return False
            pause_s = min(2 * pause_s, LONGEST_S)
    finally:
        halted.cancel()
