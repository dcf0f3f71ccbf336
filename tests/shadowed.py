"""Challengers for tests: books of champion and challenger with marks, as the ledger keeps them."""

import numpy as np
import sqlalchemy as sa

from opportunity.storage.books import PAPER, Posting, shadow_book
from opportunity.storage.events import Event, EventRepository
from opportunity.storage.ledger import Ledger
from opportunity.storage.shadows import Chapter

HOUR = 3_600_000
DAY = 24 * HOUR
MIDNIGHT = 20_000 * DAY
MARKET = "simulated-7"


def wall() -> int:
    return 1_767_225_600_000


def tell(engine: sa.Engine, name: str, *chapters: Chapter) -> None:
    """Write chapters as the agent does."""
    events = [Event(c.key(name), c.time, "shadow", c.body(name)) for c in chapters]
    EventRepository(engine, wall).append(events)


def mark(engine: sa.Engine, book: str, times: np.ndarray, equities: np.ndarray) -> None:
    """Post marks to a book, new or not; its trades are counted on by one each."""
    ledger = Ledger(engine, MARKET, wall)
    there = ledger.open_book(book, 10_000.0, int(times[0]))
    postings, trades = [], int(there.account["n_trades"][0])
    for i, (time, equity) in enumerate(zip(times.tolist(), equities.tolist(), strict=True)):
        account = there.account.copy()
        account["equity"], account["cash"] = equity, equity
        account["peak"] = max(equity, there.cash)
        account["n_trades"] = trades + i + 1
        postings.append(Posting(
            book, there.epoch, there.version + 1 + i, time, (), account, there.tally, marked=True,
        ))  # fmt: skip
    ledger.commit(postings)


def contest(
    engine: sa.Engine, name: str, n_days: int, ahead: float, seed: int = 0, step: int = 6 * HOUR,
    first: int = MIDNIGHT,
) -> None:
    """Write some days of a challenger that earns so much more a day than the champion."""
    rng = np.random.default_rng(seed)
    times = first + np.arange(n_days * DAY // step + 1) * step
    drawn = np.append(0.0, rng.normal(0.0, 0.002 * np.sqrt(step / DAY), times.size - 1))
    market = np.append(0.0, rng.normal(0.0, 0.01, times.size - 1))
    lead = np.cumsum(drawn) + ahead * (times - times[0]) / DAY
    mark(engine, PAPER, times, 10_000.0 * np.exp(np.cumsum(market)))
    mark(engine, shadow_book(name), times, 10_000.0 * np.exp(np.cumsum(market) + lead))
    tell(engine, name, Chapter(first, 0, 0, "it began", (1 / 9,) * 9))
