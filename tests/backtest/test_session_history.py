import asyncio

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live, no_faults

from opportunity.backtest.session_history import history_of
from opportunity.backtest.session_input import Session, read
from opportunity.storage.session import read_session

GONE = range(WARM + 22, WARM + 38)


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> tuple[StepFeed, Session]:
    """Symbol 1 is silent for four hours; the price of symbol 2 is in doubt for two."""
    folder, feed = tmp_path_factory.mktemp("history") / "s", StepFeed()
    doubt = no_faults(3)
    doubt.suspicious[2] = True

    async def run() -> None:
        for bar in range(WARM, WARM + 64):
            if bar == WARM + 40:
                feed.steps.append(lambda: setattr(feed, "wrong", doubt))
            if bar == WARM + 48:
                feed.steps.append(lambda: setattr(feed, "wrong", None))
            feed.steps.append(feed.batch(bar, (0, 2) if bar in GONE else (0, 1, 2)))
        await live(agent_of(feed, folder), feed.done)

    asyncio.run(run())
    return feed, read(read_session(folder))


def test_batches_are_the_base_bars(lived) -> None:
    feed, session = lived
    history = history_of(session)
    assert len(history.batches) == 64
    assert history.batches.n_rows == 64 * 3 - len(GONE)
    assert history.batches.symbol[: 6].tolist() == [0, 1, 2] * 2
    mine = history.batches.symbol == 1
    kept = [b for b in range(WARM, WARM + 64) if b not in GONE]
    np.testing.assert_array_equal(history.batches.values[mine], feed.bars[1].values[kept])
    assert history.start_batch == 0
    assert history.source == "simulated"


def test_decisions_fall_where_hours_close(lived) -> None:
    joined = history_of(lived[1]).joined
    of_0 = joined.batch[joined.symbol == 0]
    assert of_0.tolist() == list(range(3, 64, 4))
    of_1 = joined.batch[joined.symbol == 1]
    assert of_1.tolist() == [3, 7, 11, 15, 19, 24, 39, 43, 47, 51, 55, 59, 63]
    assert (np.diff(joined.batch) >= 0).all()


def test_gap_is_flagged_and_doubt_costs_trust(lived) -> None:
    joined = history_of(lived[1]).joined
    flagged = joined.batch[(joined.symbol == 1) & joined.flagged]
    assert flagged.tolist() == [24, 39]
    doubted = (joined.symbol == 2) & (joined.batch >= 40) & (joined.batch < 48)
    assert (joined.trust[doubted] == 0.0).all()
    sure = (joined.symbol == 2) & ~doubted
    assert (joined.trust[sure] == 1.0).all()


def test_stale_streams_are_not_read(lived) -> None:
    joined = history_of(lived[1]).joined
    back = (joined.symbol == 1) & (joined.batch == 24)
    assert joined.rows[back, 0].tolist() == [-1]  # three quarters of an hour old
    assert (joined.rows[back, 1:] >= 0).all()
    assert (joined.rows[joined.symbol == 0] >= 0).all()
