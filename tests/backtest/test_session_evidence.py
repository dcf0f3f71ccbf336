import asyncio
from dataclasses import replace

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live, news

from opportunity.backtest.session_chains import Piece, chains_of
from opportunity.backtest.session_evidence import NEVER, know, stream_of
from opportunity.backtest.session_input import BEFORE, Call, Session, read
from opportunity.scoring.ensemble import collect
from opportunity.storage.session import read_session


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> tuple[StepFeed, object, Session]:
    folder, feed = tmp_path_factory.mktemp("evidence") / "s", StepFeed()

    async def run() -> object:
        feed.records = news(feed, WARM - 400, WARM + 64)
        feed.steps = [feed.batch(b, (0, 1, 2)) for b in range(WARM, WARM + 64)]
        agent = agent_of(feed, folder)
        await live(agent, feed.done)
        return agent.snapshot()

    return feed, asyncio.run(run()), read(read_session(folder))


def streams(session: Session) -> list:
    pieces, known = chains_of(session).pieces, know(session)
    return [
        [stream_of(p, known, session.base, s, t)
         for t, p in zip(session.timeframes, several, strict=True)]
        for s, several in enumerate(pieces)
    ]  # fmt: skip


def test_newest_rows_are_what_the_agent_saw_last(lived) -> None:
    _, snapshot, session = lived
    for s, several in enumerate(streams(session)):
        for f, stream in enumerate(several):
            for name in ("scores", "confidences", "trend", "volatility", "atr", "flagged"):
                np.testing.assert_array_equal(
                    getattr(stream, name)[-1], getattr(snapshot, name)[s, f], name
                )
            assert stream.closed[-1] == snapshot.closed[s, f]


def test_price_detectors_say_what_batch_says(lived) -> None:
    feed, _, session = lived
    stream = streams(session)[2][0]
    seen = collect(feed.bars[2][WARM - 1_000 : WARM + 64])
    np.testing.assert_array_equal(stream.scores[:, :6], seen.scores[:, :6])


def test_detector_exists_from_its_first_record_on(lived) -> None:
    _, _, session = lived
    known = know(session)
    assert (known.since[:6] == BEFORE).all()
    assert known.since[6] == known.since[7] == session.records[0][0]
    assert known.since[8] == NEVER


def test_record_that_breaks_a_rule_is_passed_over(lived) -> None:
    _, _, session = lived
    place = session.records[-1][0]
    late = [replace(session.records[0][1][0])]
    before = session.records
    session.records = [*before, (place + 1, late)]
    assert (know(session).since == know(lived[2]).since).all()
    session.records = before


def test_later_piece_counts_from_when_it_was_put_in() -> None:
    def piece(since: int, batches: list[int], first: int) -> Piece:
        made = Piece(0, "1h", since=since)
        for i, batch in enumerate(batches):
            call = Call("update", 0, {}, batch, 0, BEFORE, 0)
            made.add((first + i) * 3_600_000, np.full(5, 2.0), 1.0, call, True)
        return made

    session = Session({}, ("BTC/USDT",), ("1h",), "1h", "1h")
    old, new = piece(BEFORE, [BEFORE, 0, 1, 2, 3], 10), piece(2, [1, 1, 1, 2, 3, 4], 9)
    found = stream_of([old, new], know(session), "1h", 0, "1h")
    assert found.known.tolist() == [-1, 0, 1, 2, 2, 3, 4]
    assert (found.time // 3_600_000).tolist() == [10, 11, 12, 11, 12, 13, 14]
