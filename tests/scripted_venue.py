"""A venue whose bars are known beforehand, that loses and garbles what it sends: for tests of
how the bars are put together again."""

from dataclasses import dataclass, field

import numpy as np

from opportunity.feeds.base import Closed
from opportunity.feeds.exchange.finality.assembler import Assembler
from opportunity.feeds.exchange.records import Answer, Frame, Rows, Want
from opportunity.market.notes import BarNote, Values

MINUTE = 60_000
START = 1_795_344_000_000 // MINUTE * MINUTE
GRACE = 2_000
HOLD = 3_000
NAN = float("nan")
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def bar(price: float, volume: float = 5.0) -> Values:
    """Return a valid bar around a price."""
    return (price, price * 1.001, price * 0.999, price * 1.0005, volume)


def opens(minute: int) -> int:
    """Return when a minute of the script opens."""
    return START + minute * MINUTE


def closed(row: int, minute: int, values: Values, at: int | None = None) -> Frame:
    """Return a closing frame, by default 300 ms after the close."""
    return Frame(row, opens(minute), values, True, at or opens(minute + 1) + 300, "raw")


def assembler(n: int = 3, start: int = START) -> Assembler:
    """Return an assembler with short patience."""
    return Assembler(SYMBOLS[:n], "1m", start, GRACE, HOLD)


def rows_of(bars: dict[int, Values], asked_at: int) -> Rows:
    """Return bars by opening time as an answer asked for at a time."""
    times = np.array(sorted(bars), np.int64)
    values = np.array([bars[t] for t in sorted(bars)], float).reshape(-1, 5)
    return Rows(times, values, asked_at)


@dataclass
class Faults:
    """How often something goes wrong, as probabilities; delays in ms."""

    loss: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    spike: float = 0.0
    delay: int = 500
    cuts: int = 0
    failure: float = 0.0
    answer_delay: int = 500


@dataclass
class Script:
    """The truth: bars by row and opening time, without those that the venue leaves out."""

    n_minutes: int
    seed: int = 0
    n_rows: int = 3
    empty: float = 0.0
    bars: list[dict[int, Values]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        for row in range(self.n_rows):
            prices = 100.0 * (row + 1) * np.exp(np.cumsum(rng.normal(0, 0.001, self.n_minutes)))
            keep = rng.random(self.n_minutes) >= self.empty
            keep[-1] = True
            volumes = rng.uniform(0, 9, self.n_minutes).round(3)
            self.bars.append({
                opens(m): bar(float(prices[m]), float(volumes[m]))
                for m in range(self.n_minutes) if keep[m]
            })  # fmt: skip

    def answer(self, want: Want, asked_at: int) -> Answer:
        """Answer truthfully, with the open bar at the end as venues do, but not as it closes."""
        bars = self.bars[want.row]
        found = {t: v for t, v in bars.items() if want.since <= t and t + MINUTE <= asked_at}
        now = asked_at // MINUTE * MINUTE
        found[now] = bar(77.0)
        return Answer(want, rows_of(found, asked_at))

    def frames(self, faults: Faults) -> tuple[list[Frame], list[int]]:
        """Return frames in order of arrival, and when connections were opened anew."""
        rng = np.random.default_rng(self.seed + 1)
        starts = rng.integers(START, opens(self.n_minutes), faults.cuts)
        cuts = [(int(s), int(s + rng.integers(1, 5 * MINUTE))) for s in starts]
        frames: list[Frame] = []
        for row, bars in enumerate(self.bars):
            for time, values in bars.items():
                frames += _told(row, time, values, faults, rng)
        frames = [f for f in frames if not any(a <= f.at < b for a, b in cuts)]
        return sorted(frames, key=lambda f: f.at), sorted(b for _, b in cuts)


def _told(row: int, time: int, values: Values, faults: Faults, rng: np.random.Generator):
    for _ in range(3):  # open bars carry wrong numbers, so that using one of them shows
        at = time + int(rng.integers(0, MINUTE + faults.delay))
        yield Frame(row, time, bar(55.0, 1.0), bool(rng.integers(2)) and None, at)
    at = time + MINUTE + int(rng.integers(0, faults.delay + 1))
    if rng.random() < faults.corrupt:
        yield Frame(row, time, _garbled(values, rng), True, at, "garbled")
    elif rng.random() < faults.spike:
        yield Frame(row, time, bar(values[0] * 100, values[4]), True, at)
    elif rng.random() >= faults.loss:
        yield Frame(row, time, values, True, at)
        if rng.random() < faults.duplicate:
            yield Frame(row, time, values, True, at + int(rng.integers(0, 3 * MINUTE)))
            yield Frame(row, time, values, True, at)


def _garbled(values: Values, rng: np.random.Generator) -> Values:
    o, h, low, c, v = values
    choices = [
        (NAN, h, low, c, v), (o, low, h, c, v), (-o, h, low, c, v), (o, h, low, c, -1.0),
        (o, h, low, h * 2, v), (o, float("inf"), low, c, v), (0.0, 0.0, 0.0, 0.0, 0.0),
    ]  # fmt: skip
    return choices[rng.integers(len(choices))]


class Run:
    """Play a script to an assembler second by second, and check what always holds."""

    def __init__(self, script: Script, faults: Faults, seed: int = 0) -> None:
        self.script, self.faults = script, faults
        self.assembler = assembler(script.n_rows)
        self.frames, self.connections = script.frames(faults)
        self.rng = np.random.default_rng(seed + 2)
        self.batches: list[tuple[int, Closed]] = []
        self.notes: list[BarNote] = []
        self.corrected: set[int] = set()
        self.flights: list[tuple[int, bool, Want, int]] = []
        self.settled = np.full(script.n_rows, START)
        self.newest = np.full(script.n_rows, START - MINUTE)
        self.now = START

    def play(self, until: int, step: int = 1_000) -> "Run":
        """Go on to a time."""
        frames = iter(self.frames)
        held = next(frames, None)
        while self.now < until:
            self.now += step
            while held is not None and held.at <= self.now:
                self.assembler.frame(held)
                held = next(frames, None)
            while self.connections and self.connections[0] <= self.now:
                self.connections.pop(0)
                self.assembler.connected(np.arange(self.script.n_rows), self.now)
            self.tick()
        self.frames = [f for f in self.frames if f.at > self.now]
        return self

    def tick(self) -> None:
        """Carry answers and questions, and take what goes out."""
        for flight in [f for f in self.flights if f[0] <= self.now]:
            self.flights.remove(flight)
            self.land(*flight)
        for want in self.assembler.wanted(self.now):
            self.fly(want)
        self.take()

    def land(self, at: int, fails: bool, want: Want, asked_at: int) -> None:
        """Bring an answer or a failure."""
        if fails:
            self.assembler.failed(want, self.now)
        else:
            self.assembler.answer(self.script.answer(want, asked_at))

    def fly(self, want: Want) -> None:
        """Send a question on its way."""
        assert START - 4 * MINUTE <= want.since < want.until <= self.now - GRACE
        assert (want.since % MINUTE, want.until % MINUTE) == (0, 0)
        assert want.until - want.since <= 1_000 * MINUTE
        assert want.row not in [f[2].row for f in self.flights]
        arrives = self.now + int(self.rng.integers(0, self.faults.answer_delay + 1))
        fails = bool(self.rng.random() < self.faults.failure)
        self.flights.append((arrives, fails, want, self.now))
        assert len(self.flights) <= self.assembler.budget

    def take(self) -> None:
        """Take batches, and check their order and what they claim."""
        last = 0
        for batch in self.assembler.take(self.now):
            assert last < batch.time <= self.now
            last = batch.time
            assert (np.diff(batch.rows) > 0).all()
            assert (batch.times == batch.time - MINUTE).all()
            assert (batch.times > self.newest[batch.rows]).all()
            assert (batch.time > self.settled[batch.rows]).all()
            assert (batch.settled >= self.settled).all()
            assert (batch.settled[batch.rows] >= batch.time).all()
            self.newest[batch.rows] = batch.times
            self.settled = batch.settled
            self.batches.append((self.now, batch))
        np.testing.assert_array_equal(self.assembler.released, self.newest)
        self.notes += self.assembler.notes()
        self.corrected |= set(self.assembler.corrected().tolist())

    def released(self, row: int) -> list[tuple[int, Values]]:
        """Return the bars of a row as they went out."""
        return [
            (int(b.times[i]), tuple(b.values[i].tolist()))
            for _, b in self.batches for i in np.flatnonzero(b.rows == row)
        ]  # fmt: skip

    def noted(self, kind: str) -> list[tuple[str, int]]:
        """Return symbol and time of the notes of a kind."""
        return [(n.symbol, n.time) for n in self.notes if n.kind == kind]
