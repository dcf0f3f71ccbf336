import asyncio

import pytest

from opportunity.errors import OpportunityError
from opportunity.live import opening as module
from opportunity.live.opening import opened


class LateError(OpportunityError):
    passing = True


class Market:
    """Fails as often as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.n = list(failures), 0

    async def open(self) -> None:
        self.n += 1
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that were made; none of them takes time."""
    made, wait = [], asyncio.wait

    async def quick(tasks, **more):
        if "timeout" in more:
            made.append(more["timeout"])
            more["timeout"] = 0
        return await wait(tasks, **more)

    monkeypatch.setattr(module.asyncio, "wait", quick)
    return made


async def test_pauses_grow_to_the_longest(pauses, capsys):
    market = Market(*[LateError("away")] * 9)
    assert await opened(market.open, asyncio.Event(), patient=True)
    assert market.n == 10
    assert pauses == [1, 2, 4, 8, 10, 10, 10, 10, 10]
    assert capsys.readouterr().out.count("market does not answer") == 4  # at the 1st, 2nd, 4th, 8th


async def test_impatient_raises_the_first_failure(pauses):
    market = Market(LateError("away"))
    with pytest.raises(LateError):
        await opened(market.open, asyncio.Event(), patient=False)
    assert (market.n, pauses) == (1, [])


@pytest.mark.parametrize("error", [OpportunityError("no"), ValueError("no"), OSError("no")])
async def test_only_what_may_pass_is_waited_for(pauses, error):
    with pytest.raises(type(error)):
        await opened(Market(error).open, asyncio.Event(), patient=True)
    assert pauses == []


async def test_halt_ends_an_attempt_and_a_pause():
    halt, cancelled = asyncio.Event(), []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    for attempt in (wait, Market(LateError("away")).open):
        halt.clear()
        asyncio.get_running_loop().call_later(0.01, halt.set)
        async with asyncio.timeout(0.9):
            assert not await opened(attempt, halt, patient=True)
    assert cancelled == [True]
