import numpy as np
from sessions import WARM, StepFeed, agent_of, live

from opportunity.live.session_frames import SessionFrames
from opportunity.storage.database import open_database
from opportunity.storage.ledger import Ledger
from opportunity.storage.session import BATCH, read_session
from opportunity.trading.records import ACCOUNT, POSITION


def test_without_a_folder_nothing_is_done() -> None:
    frames = SessionFrames(None)
    frames.hand({"what": "leave"})
    frames.heard([])
    frames.close()
    assert (frames.error, frames.running, frames.recorder) == ("", False, None)


async def run(folder, ledger, start: int, first: int, last: int) -> list:
    feed = StepFeed(start=WARM + start)
    feed.steps = [feed.batch(WARM + b, (0, 1, 2)) for b in range(first, last)]
    agent = agent_of(feed, folder, ledger=ledger)
    await live(agent, feed.done)
    return list(read_session(folder))


async def test_log_begins_with_the_account_that_goes_on(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    ledger = Ledger(engine, "m", lambda: 0)
    first = await run(tmp_path / "a", ledger, 0, 0, 60)
    assert "account" not in [f.kind for f in first]
    assert all(f.meta["stale"] == 0 for f in first if f.kind == BATCH)
    book = ledger.read_book("paper")
    second = await run(tmp_path / "b", ledger, 60, 60, 80)
    kinds = [f.kind for f in second]
    assert kinds.index("account") == kinds.index("ready") + 1
    frame = second[kinds.index("account")]
    assert frame.arrays["account"].dtype == ACCOUNT
    assert frame.arrays["account"].tobytes() == book.account.tobytes()
    assert frame.arrays["positions"].dtype == POSITION
    assert frame.arrays["positions"].shape == (3,)
    held = {s for s, p in book.positions.items() if p["side"][0]}
    assert np.count_nonzero(frame.arrays["positions"]["side"]) == len(held)
    engine.dispose()


async def test_batches_that_were_lived_before_are_in_front_of_the_account(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    ledger = Ledger(engine, "m", lambda: 0)
    await run(tmp_path / "a", ledger, 0, 0, 60)
    time = ledger.time_of()
    again = await run(tmp_path / "b", ledger, 50, 50, 80)  # the feed goes back by ten
    batches = [f for f in again if f.kind == BATCH]
    assert len(batches) == 20
    assert min(f.meta["time"] for f in batches) > time
    ready = next(f for f in again if f.kind == "ready")
    assert ready.meta["time"] == time
    engine.dispose()
