import asyncio

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live

from opportunity.backtest.session_chains import chains_of
from opportunity.backtest.session_input import BEFORE, Session, read
from opportunity.market.resample import resample
from opportunity.storage.session import read_session


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> tuple[StepFeed, Session]:
    folder, feed = tmp_path_factory.mktemp("chains") / "s", StepFeed()
    hole = range(WARM + 21, WARM + 25)

    async def run() -> None:
        feed.steps = [
            feed.batch(b, (0, 2) if b in hole else (0, 1, 2)) for b in range(WARM, WARM + 64)
        ]
        await live(agent_of(feed, folder), feed.done)

    asyncio.run(run())
    return feed, read(read_session(folder))


def test_longer_bars_are_those_of_the_base_bars(lived) -> None:
    feed, session = lived
    pieces = chains_of(session).pieces
    for f, timeframe in enumerate(session.timeframes):
        (piece,) = pieces[0][f]
        bars = piece.bars()
        whole = resample(feed.bars[0][: WARM + 64], timeframe)[-bars["time"].size :]
        np.testing.assert_array_equal(bars["time"], whole.time)
        np.testing.assert_array_equal(bars["values"], whole.values)
        assert (bars["coverage"] == 1.0).all()


def test_bars_are_known_in_the_batch_that_closed_them(lived) -> None:
    _, session = lived
    pieces = chains_of(session).pieces
    quarter, hour = pieces[0][0][0].bars(), pieces[0][1][0].bars()
    fresh = quarter["batch"] > BEFORE
    assert quarter["batch"][fresh].tolist() == list(range(64))
    assert hour["batch"][hour["batch"] > BEFORE].tolist() == list(range(3, 64, 4))
    late = pieces[1][1][0].bars()  # the hour of the hole closes with the next one that opens
    known = late["batch"][late["batch"] > BEFORE].tolist()
    assert known[:8] == [3, 7, 11, 15, 19, 24, 27, 31]
    assert late["coverage"][late["batch"] == 24].tolist() == [0.25]


def test_time_and_newest_bars_follow_the_batches(lived) -> None:
    feed, session = lived
    chains = chains_of(session)
    np.testing.assert_array_equal(chains.time, [o.time for o in session.outcomes])
    assert chains.newest[:, 0].tolist() == feed.bars[0].time[WARM : WARM + 64].tolist()
    assert (chains.newest[20:25, 1] == feed.bars[1].time[WARM + 20]).all()
