import threading
from dataclasses import replace

import numpy as np
import pytest

from opportunity.live.preview import preview, trusted
from opportunity.live.state import duplicate
from opportunity.live.streams import Streams
from opportunity.live.warming import warm
from opportunity.market.bars import Bar
from opportunity.market.figures import DayFigures
from opportunity.scoring.scores import explain
from opportunity.scoring.weights import Weights
from opportunity.strategy import evaluate

FRAMES = ("1h", "4h")
WEIGHTS = Weights().as_array()


@pytest.fixture
async def ready(scripted):
    feed = scripted.ScriptedFeed()
    streams = Streams(feed.symbols, FRAMES, "1h", "simulated")
    await warm(feed, streams, await feed.open(), lambda *_: None)
    yield feed, streams
    streams.close()


def held(streams: Streams) -> dict[str, bytes]:
    kept = {n: duplicate(a).tobytes() for n, a in streams.save().items() if a.ndim}
    ranks = streams.drawdowns
    return kept | {"time": str(streams.time).encode(), "ranks": ranks.rank.tobytes()}


@pytest.mark.parametrize("frame", FRAMES)
async def test_preview_is_what_the_bar_scores_when_it_closes_and_changes_nothing(
    ready, frame
) -> None:
    feed, streams = ready
    n = 1 if frame == "1h" else 4  # bar 5500 opens four hours
    whole = feed.bars[1][5_500 : 5_500 + n]
    bar = Bar(
        int(whole.time[0]), float(whole.open[0]), float(whole.high.max()),
        float(whole.low.min()), float(whole.close[-1]), float(np.add.accumulate(whole.volume)[-1]),
    )
    before = held(streams)
    seen = preview(streams, threading.Lock(), (1, frame), bar, WEIGHTS)
    assert held(streams) == before
    assert (seen.symbol, seen.timeframe, seen.price) == (feed.symbols[1], frame, bar.close)
    assert seen.closed == whole.close_time[-1]
    assert np.isnan(seen.success)
    for i in range(5_500, 5_500 + n):
        event = feed.batch(i)
        streams.update(event.rows, event.times, event.values)
    k = FRAMES.index(frame)
    found = evaluate(streams.snapshot(DayFigures(2, "1h")), Weights())
    snapshot = found.snapshot
    wanted = explain(
        found.combined.take((1, k)), snapshot.scores[1, k], snapshot.confidences[1, k], WEIGHTS,
        float(snapshot.trend[1, k]), float(snapshot.volatility[1, k]), frame, seen.closed,
    )
    assert (seen.final, seen.confidence) == (wanted.final, wanted.confidence)
    assert repr(seen.components) == repr(wanted.components)
    assert seen.atr == snapshot.atr[1, k]


async def test_bar_that_has_closed_meanwhile_has_no_preview(ready) -> None:
    feed, streams = ready
    bar = feed.bars[0][5_500]
    event = feed.batch(5_500)
    streams.update(event.rows, event.times, event.values)
    assert preview(streams, threading.Lock(), (0, "1h"), bar, WEIGHTS) is None
    later = bar._replace(time=bar.time + 3_600_000)
    assert preview(streams, threading.Lock(), (0, "1h"), later, WEIGHTS) is not None


async def test_bar_without_a_price_has_no_preview(ready) -> None:
    feed, streams = ready
    bar = feed.bars[0][5_500]._replace(close=float("nan"))
    assert preview(streams, threading.Lock(), (0, "1h"), bar, WEIGHTS) is None


async def test_lock_is_held_while_the_stream_is_read(ready) -> None:
    feed, streams = ready
    lock, held_by = threading.Lock(), []
    row = streams.row

    def spy(*args):
        held_by.append(lock.locked())
        return row(*args)

    streams.row = spy
    preview(streams, lock, (0, "1h"), feed.bars[0][5_500], WEIGHTS)
    assert held_by == [True]
    assert not lock.locked()


async def test_preview_is_trusted_as_far_as_the_bars_it_stands_on(ready) -> None:
    feed, streams = ready
    seen = preview(streams, threading.Lock(), (0, "1h"), feed.bars[0][5_500], WEIGHTS)
    snapshot = streams.snapshot(DayFigures(2, "1h"))
    whole = trusted(seen, snapshot)
    assert (whole.confidence, whole.trust, whole.trust_note) == (seen.confidence, 1.0, "")
    facts = snapshot.distrust.copy()
    facts[0, 0] = 0.3
    doubted = trusted(seen, replace(snapshot, distrust=facts, trust=np.empty((0, 0))))
    assert 0 <= doubted.trust < 1
    assert doubted.confidence == seen.confidence * doubted.trust
    assert doubted.trust_note
