import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import param
import pytest
from structlog.testing import capture_logs

from opportunity.detectors.base import Detector
from opportunity.live import intake as module
from opportunity.live.gatherer import Gatherer
from opportunity.live.intake import Intake
from opportunity.live.observers import Observers
from opportunity.live.streams import Streams
from opportunity.market.asof import AsOf
from opportunity.market.observations import Funding, Headline, Record, Trades
from opportunity.market.timeframe import HOUR_MS, MINUTE_MS

NOW = 1_700_000_000_000
MEMORY_MS = 5 * HOUR_MS


class Rates:
    """Newest rate of the one symbol; makes a headline of every record."""

    def __init__(self) -> None:
        self.series, self.made, self.forgotten = AsOf(1), [], []
        self.threads: set[threading.Thread] = set()
        self.pause: threading.Event | None = None

    @property
    def connected(self) -> bool:
        return len(self.series) > 0

    def take(self, records: Sequence[Record]) -> None:
        self.threads.add(threading.current_thread())
        for r in records:
            self.series.append(r.available_at, [r.rate])
            self.made.append(Headline(r.event_time, r.available_at, "made", "t", ""))

    def rows(self, symbols, opened, closed):
        return self.series.at(closed)[0]

    def drain(self):
        self.threads.add(threading.current_thread())
        if self.pause is not None:
            self.pause.wait(5)
        made, self.made = self.made, []
        return made

    def forget(self, before: int) -> None:
        self.forgotten.append(before)


class Rate(Detector):
    """Reads funding. Source: these tests."""

    name = param.String("rate", constant=True, doc="Name.")
    needs, columns = {Funding: MEMORY_MS}, ("rate",)
    state_type = params_type = np.dtype([("n", "i8")])

    def _pack(self) -> np.ndarray:
        return np.zeros(1, self.params_type)

    def new_inputs(self, symbols: tuple[str, ...]) -> Rates:
        return Rates()


class Running:
    """What an intake asks of streams."""

    def __init__(self) -> None:
        self.observers, self.time = Observers([Rate()], ("A/USDT",)), NOW


class Store:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, records) -> int:
        self.records += records
        return len(records)

    def forget(self, before: int) -> int:
        return 0

    def known(self, kind, since, until, symbol=None):
        return [r for r in self.records if type(r) is kind and since <= r.available_at < until]


def funding(at: int, rate: float = 1.0) -> Funding:
    return Funding(at, at, "x", "A/USDT", rate)


@pytest.fixture
def feed(scripted):
    """A feed whose records are those that a test puts into `records`."""
    feed = scripted.ScriptedFeed()
    feed.records, feed.lasting = [], False

    async def observations(kinds, since, until):
        return [r for r in feed.records if since <= r.available_at < until]

    feed.observations = observations
    return feed


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def streams() -> Running:
    return Running()


@pytest.fixture
def intake(feed, store, streams) -> Intake:
    return Intake(Gatherer(feed, store), streams, threading.Lock())


def rates(streams: Running) -> Rates:
    return streams.observers._inputs[0]


async def test_past_and_fresh_records_reach_the_observers_off_the_loop(intake, feed, streams):
    feed.records = [funding(NOW - MEMORY_MS - 1), funding(NOW - 5), funding(NOW + 5)]
    await intake.remember(NOW)
    assert rates(streams).series.known.tolist() == [NOW - 5]
    await intake.observe(NOW + 4)
    assert len(rates(streams).series) == 1
    await intake.observe(NOW + 5)
    assert rates(streams).series.known.tolist() == [NOW - 5, NOW + 5]
    assert threading.current_thread() not in rates(streams).threads


async def test_bars_that_are_caught_up_with_see_what_was_known_then(intake, feed, streams):
    first = NOW - 20 * HOUR_MS
    feed.records = [funding(first - MEMORY_MS, 1.0), funding(NOW, 2.0)]
    await intake.remember(NOW, first)
    rows = streams.observers.rows(0, np.zeros(1, np.int64), "1h", np.array([[first - HOUR_MS]]))
    assert rows.ravel().tolist() == [1.0]


async def test_nothing_is_asked_for_detectors_of_bars_alone(feed, streams):
    streams.observers = Observers([], ("A/USDT",))
    feed.observations = None  # calling it would fail
    await Intake(Gatherer(feed), streams, threading.Lock()).remember(NOW)


@pytest.mark.parametrize("lasting", [False, True])
async def test_what_detectors_made_is_kept_where_it_cannot_be_had_again(
    intake, feed, store, lasting
):
    feed.lasting, feed.records = lasting, [funding(NOW - 5), funding(NOW + 5)]
    await intake.remember(NOW)
    await intake.observe(NOW + 9)
    await intake.keep()
    made = sorted(r.available_at for r in store.records if isinstance(r, Headline))
    assert made == ([] if lasting else [NOW - 5, NOW + 5])
    assert sorted(r.available_at for r in store.records if isinstance(r, Funding)) == [
        NOW - 5, NOW + 5
    ]


async def test_what_nobody_asks_for_is_forgotten_now_and_then(intake, streams):
    await intake.remember(NOW)
    assert rates(streams).forgotten == [NOW - MEMORY_MS]
    for minutes in (1, 9, 10, 11, 19, 20):
        streams.time = NOW + minutes * MINUTE_MS
        await intake.keep()
    wanted = [NOW + m * MINUTE_MS - MEMORY_MS for m in (0, 10, 20)]
    assert rates(streams).forgotten == wanted


async def test_charts_see_as_much_after_forgetting_as_before(intake, feed, streams):
    feed.records = [funding(NOW - i * HOUR_MS, float(i)) for i in range(5, -1, -1)]
    await intake.remember(NOW)
    rates(streams).forget = lambda before: rates(streams).series.forget(before)
    opened = NOW - HOUR_MS * np.arange(5, 0, -1)[None]
    before = streams.observers.rows(0, np.zeros(1, np.int64), "1h", opened)
    streams.time = NOW + HOUR_MS
    await intake.keep()
    after = streams.observers.rows(0, np.zeros(1, np.int64), "1h", opened)
    assert np.isfinite(before).all()
    np.testing.assert_array_equal(after, before)


async def test_loop_goes_on_while_a_reader_holds_the_lock(feed, streams):
    lock = threading.Lock()
    intake = Intake(Gatherer(feed), streams, lock)
    await intake.remember(NOW)
    lock.acquire()
    reader = threading.Timer(5.0, lock.release)  # or a loop that waits would wait for ever
    reader.start()
    keeping = asyncio.ensure_future(intake.keep())
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert not keeping.done()
    assert reader.is_alive()  # the loop went on meanwhile
    reader.cancel()
    lock.release()
    await keeping


async def test_what_a_cancelled_keep_has_drained_is_kept_by_the_next(
    intake, feed, store, streams, monkeypatch
):
    monkeypatch.setattr(module, "KEEP_EVERY_S", 0.0)
    await intake.remember(NOW)
    feed.records = [funding(NOW + 5)]
    await intake.observe(NOW + 9)
    rates(streams).pause = threading.Event()
    running = asyncio.ensure_future(intake.run())
    async with asyncio.timeout(30):
        while not intake._lock.locked():  # noqa: ASYNC110 - a thread tells nobody of its start
            await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    rates(streams).pause.set()
    await intake.keep()
    assert [r.available_at for r in store.records if isinstance(r, Headline)] == [NOW + 5]


def test_a_record_that_breaks_a_rule_costs_itself_only():
    """A mad record of a feed must not stop the agent."""
    mad = Trades("x", "BTC/USDT", np.array([NOW]), np.array([1.0]), np.array([-1.0]),
                 np.array([1], np.int8))
    good = Funding(NOW, NOW, "x", "BTC/USDT", 1e-4)
    streams = Streams(("BTC/USDT",), ("1h",), "1h", "simulated")
    taking = Intake(Gatherer(None), streams, threading.Lock())
    with capture_logs() as logs:
        taking._take([mad, good])
    streams.close()
    assert [(entry["event"], entry["kind"]) for entry in logs] == [("record refused", "Trades")]
    assert "amount" in logs[0]["error"]
    names = [d.label for d in streams.detectors]
    assert streams.observers.exists[names.index("sentiment")]


async def test_records_are_told_before_they_are_taken(feed, store, streams):
    told: list = []

    def heard(records) -> None:
        told.append((list(records), len(rates(streams).series)))

    intake = Intake(Gatherer(feed, store), streams, threading.Lock(), heard)
    feed.records = [funding(NOW - 5), funding(NOW + 5)]
    await intake.remember(NOW)
    await intake.observe(NOW + 5)
    assert told == [([funding(NOW - 5)], 0), ([funding(NOW + 5)], 1)]
