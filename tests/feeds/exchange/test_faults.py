"""Every fault of the local exchange under the live feed, with unmodified ccxt between them."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from app.exchange import injector
from app.exchange.injector import FAULTS
from opportunity.live import rewarming
from tests.feeds.exchange.faultbed import WARM, Run, prepare
from tests.feeds.exchange.faultcases import CASES, Case, explained
from tests.feeds.exchange.faulttruth import astray, judge

QUICK_SEEDS: Final = 2
ALL_SEEDS: Final = 20
AT_ONCE: Final = 12
"""Feeds that live side by side: most of their time they wait for bars."""

LONGEST_S: Final = 60.0
"""Seconds after which something hangs."""

Key = tuple[Case, int]


class Runs:
    """Lets beds live on a loop of its own thread, some at once, in the order of the tests."""

    def __init__(self, keys: list[Key]) -> None:
        self._found: dict[Key, Future[Run]] = {key: Future() for key in keys}
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = Future()
        self._thread = threading.Thread(target=self._live, name="fault beds")
        self._thread.start()

    def _live(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._all())

    async def _all(self) -> None:
        self._begun.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(key: Key) -> None:
            async with slots:
                try:
                    async with asyncio.timeout(LONGEST_S):
                        self._found[key].set_result(await key[0].bed(key[1]).run())
                except Exception as error:  # noqa: BLE001 - raised in the test that waits for it
                    self._found[key].set_exception(error)

        async with asyncio.TaskGroup() as group:
            for key in self._found:
                group.create_task(one(key))

    def of(self, case: Case, seed: int) -> Run:
        """Return what came of a bed; its memory is let go of."""
        run = self._found[case, seed].result(timeout=900)
        self._found[case, seed] = Future()
        return run

    def close(self) -> None:
        """End what still runs."""
        loop, work = self._begun.result()
        with contextlib.suppress(RuntimeError):  # it is over already
            loop.call_soon_threadsafe(work.cancel)
        self._thread.join()


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    wanted = [
        (item.callspec.params["case"], item.callspec.params["seed"])
        for item in request.session.items
        if item.path == request.path and "runs" in item.fixturenames
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewarming, "WARM_BARS", WARM)
        patch.setattr(rewarming, "RETRY_S", 0.2)
        patch.setattr(injector, "ON_THEIR_WAY_S", 0.9)  # many feeds on one loop read late
        patch.setattr(rewarming, "SETTLE_S", 0.03)  # a grace, in a market as fast as this
        prepare()
        made = Runs(wanted)
        yield made
        made.close()


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=() if seed < QUICK_SEEDS else pytest.mark.slow)
        for seed in range(ALL_SEEDS)
    ],
)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bars_and_signals_are_those_of_the_truth_or_the_difference_is_told(
    runs, case, seed, record_property
):
    run = runs.of(case, seed)
    assert run.injected[case.kind] > 0, "the fault never struck"
    assert run.finished, run.wrong
    assert judge(run) == []
    assert run.calls_in_ban == 0
    assert not run.faults.pending.any()
    for expect in case.expect:
        expect(run)
    differ = astray(run, WARM)
    record_property("symbols whose scores differ", len(differ))
    record_property("symbols told to differ", len(explained(run)))
    assert set(differ) <= set(explained(run))


def test_every_fault_has_a_case():
    assert {case.kind for case in CASES} == set(FAULTS)
