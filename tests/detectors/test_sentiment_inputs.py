from dataclasses import replace

import numpy as np
import pytest

from opportunity.detectors.sentiment_inputs import COLUMNS, NEEDS, SentimentInputs
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    LongShort,
    OpenInterest,
    Record,
    SocialVolume,
    Trade,
    by_availability,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS

BTC, ETH = "BTC/USDT", "ETH/USDT"


def stories(days: int = 130, seed: int = 1, symbols: tuple[str, ...] = (BTC, ETH)) -> list[Record]:
    """Records of every kind for some months, some of them known late."""
    rng = np.random.default_rng(seed)
    found: list[Record] = []
    for d in range(days):
        late = int(rng.integers(0, 30 * HOUR_MS)) if rng.random() < 0.2 else 0
        value = int(rng.integers(5, 96))
        found.append(FearGreed(d * DAY_MS, (d + 1) * DAY_MS + late, "fng", value))
    for symbol in symbols:
        for hour in range(0, 24 * days, 2):
            t, late = hour * HOUR_MS, int(rng.integers(0, HOUR_MS))
            if hour % 8 == 0:
                found.append(Funding(t, t + late, "x", symbol, float(rng.normal(1e-4, 1e-4))))
            found.append(OpenInterest(t, t + late, "x", symbol, float(np.exp(rng.normal()))))
            found.append(LongShort(t, t + late, "x", symbol, float(np.exp(rng.normal()))))
            found.append(SocialVolume(t, t + late, "x", symbol, float(rng.poisson(40))))
            if rng.random() < 0.1:
                title = rng.choice(("hack", "rally", "ban", "record high")) + f" {t}"
                found.append(Headline(t, t + late, "x", title, "p", (symbol,)))
    return by_availability(found)


def rows(inputs: SentimentInputs, closed: np.ndarray, symbol: int = 0) -> np.ndarray:
    return inputs.rows(np.full(closed.size, symbol), closed - HOUR_MS, closed)


def column(table: np.ndarray, name: str) -> np.ndarray:
    return table[:, COLUMNS.index(name)]


def hours(first: float, last: float, step: float = 1.0) -> np.ndarray:
    return (np.arange(first, last, step) * HOUR_MS).astype(np.int64)


def test_rows_are_empty_before_and_without_records():
    inputs = SentimentInputs((BTC,))
    assert not inputs.connected
    inputs.take([Trade(1, 1, "x", BTC, 1.0, 1.0, "buy")])
    assert not inputs.connected
    assert np.isnan(rows(inputs, hours(0, 5))).all()
    assert inputs.drain() == ()


def test_every_kind_fills_its_columns():
    inputs = SentimentInputs((BTC, ETH))
    inputs.take(stories())
    assert inputs.connected
    table = rows(inputs, hours(100 * 24, 110 * 24))
    usable = np.isfinite(table).mean(axis=0)
    assert (usable[[COLUMNS.index(c) for c in COLUMNS if c.endswith("_fresh")]] == 1).all()
    assert usable.min() > 0.7  # a headline comes every 20 hours and is stale after 48
    assert (np.abs(column(table, "funding")) < 1).all()


def test_each_symbol_reads_its_own_records_and_all_read_the_market():
    both = SentimentInputs((BTC, ETH))
    both.take(stories())
    alone = SentimentInputs((ETH,))
    alone.take([r for r in stories() if getattr(r, "symbol", ETH) == ETH])
    closed = hours(2_000, 2_400)
    np.testing.assert_array_equal(rows(both, closed, 1), rows(alone, closed))
    assert not np.array_equal(rows(both, closed, 0), rows(both, closed, 1))


def test_contract_and_pair_are_one():
    inputs = SentimentInputs((BTC, "BTC/USDT:USDT", "BTC/EUR"))
    funding = [
        Funding(t * 8 * HOUR_MS, t * 8 * HOUR_MS, "x", "BTC/USDT:USDT", t / 1e6) for t in range(100)
    ]
    inputs.take(funding)
    closed = hours(700, 790)
    np.testing.assert_array_equal(rows(inputs, closed, 0), rows(inputs, closed, 1))
    assert np.isfinite(column(rows(inputs, closed[-8:], 0), "funding")).all()
    assert np.isnan(rows(inputs, closed, 2)).all()


def test_headlines_are_linked_by_the_coin_that_they_name():
    inputs = SentimentInputs((BTC, ETH, "BTC/EUR"), tone=lambda title: 0.5)
    inputs.take([
        Headline(0, 0, "x", "Bitcoin exchange hacked", "p"),
        Headline(0, HOUR_MS, "x", "Weather is fine", "p"),
    ])
    closed = hours(0, 3)
    assert column(rows(inputs, closed, 0), "tone").tolist() == [0.5] * 3
    assert column(rows(inputs, closed, 2), "tone").tolist() == [0.5] * 3
    assert np.isnan(rows(inputs, closed, 1)).all()


def test_live_questions_equal_batch_ones():
    # One question for all symbols at each close, as records come, against all closes at once.
    records = stories()
    whole, live = SentimentInputs((BTC, ETH)), SentimentInputs((BTC, ETH))
    whole.take(records)
    closed = hours(2_300, 2_500)
    expected = [rows(whole, closed, s) for s in (0, 1)]
    taken = 0
    for i, t in enumerate(closed.tolist()):
        upto = next((k for k in range(taken, len(records)) if records[k].available_at > t), None)
        live.take(records[taken:upto])
        taken = len(records) if upto is None else upto
        found = live.rows(np.array([0, 1, 1]), np.full(3, t - HOUR_MS), np.full(3, t))
        np.testing.assert_array_equal(found, [expected[0][i], expected[1][i], expected[1][i]])
        live.forget(t)
    mixed = np.random.default_rng(1).permutation(np.repeat([0, 1], closed.size))
    found = whole.rows(mixed, np.tile(closed, 2) - HOUR_MS, np.tile(closed, 2))
    for k, symbol in enumerate(mixed.tolist()):
        np.testing.assert_array_equal(found[k], expected[symbol][k % closed.size])


def test_rows_need_only_the_records_of_the_memory():
    records = stories(days=260)
    whole = SentimentInputs((BTC, ETH))
    whole.take(records)
    at = 200 * DAY_MS
    restarted = SentimentInputs((BTC, ETH))
    restarted.take([r for r in records if r.available_at >= at - NEEDS[type(r)]])
    closed = at + hours(0, 24 * 20)
    for symbol in (0, 1):
        np.testing.assert_array_equal(rows(restarted, closed, symbol), rows(whole, closed, symbol))


def test_what_stopped_coming_is_disconnected_after_the_memory():
    inputs = SentimentInputs((BTC,))
    inputs.take([FearGreed(0, DAY_MS, "x", 20)])
    fresh = column(rows(inputs, np.array([0, 1, 21, 22]) * DAY_MS), "fear_greed_fresh")
    np.testing.assert_array_equal(fresh, [np.nan, 1, 0, np.nan])


def test_repetitions_are_passed_over():
    records = stories(days=110)
    once, twice = SentimentInputs((BTC, ETH)), SentimentInputs((BTC, ETH))
    once.take(records)
    twice.take(records[:5_000])
    twice.take(records[4_000:])  # also those known before the newest
    twice.take(records[-50:])
    asked_again = [replace(r, available_at=r.available_at + DAY_MS) for r in records[-50:]]
    twice.take(asked_again)
    closed = hours(2_000, 2_640)
    np.testing.assert_array_equal(rows(twice, closed), rows(once, closed))


@pytest.mark.parametrize("kind", [FearGreed, Funding, Headline])
def test_records_known_before_those_taken_are_refused_whole(kind):
    inputs = SentimentInputs((BTC,))
    records = [r for r in stories(days=20, symbols=(BTC,)) if isinstance(r, kind)]
    inputs.take(records[5:])
    before = rows(inputs, hours(0, 600))
    newest = records[-1].available_at
    text = f"available_at of {kind.__name__} must not go back, was {records[0].available_at}"
    with pytest.raises(ValueError, match=f"{text} after {newest}"):
        inputs.take(records[:2])
    np.testing.assert_array_equal(rows(inputs, hours(0, 600)), before)


def test_numbers_that_cannot_be_are_passed_over():
    inputs = SentimentInputs((BTC,))
    inputs.take([
        Funding(0, 0, "x", BTC, float("nan")), OpenInterest(0, 0, "x", BTC, 0.0),
        LongShort(0, 0, "x", BTC, -1.0), SocialVolume(0, 0, "x", BTC, float("inf")),
    ])
    assert not inputs.connected


@pytest.mark.parametrize(
    "record",
    [FearGreed(0, 130 * DAY_MS, "fng", 150), FearGreed(0, 130 * DAY_MS, "fng", -3),
     SocialVolume(130 * DAY_MS, 130 * DAY_MS, "x", BTC, -0.5),
     OpenInterest(130 * DAY_MS, 130 * DAY_MS, "x", BTC, 0.0),
     LongShort(130 * DAY_MS, 130 * DAY_MS, "x", BTC, -1.0),
     Funding(130 * DAY_MS, 130 * DAY_MS, "x", BTC, float("nan"))],
)
def test_one_number_that_cannot_be_changes_nothing(record):
    heard, clean = SentimentInputs((BTC,)), SentimentInputs((BTC,))
    for one in (heard, clean):
        one.take(stories(symbols=(BTC,)))
    heard.take([replace(record, event_time=record.available_at)])
    closed = hours(130 * 24, 132 * 24)
    np.testing.assert_array_equal(rows(heard, closed), rows(clean, closed))


@pytest.mark.parametrize("tone", [float("nan"), 1.5, -2.0])
def test_tone_of_ones_own_is_checked(tone):
    inputs = SentimentInputs((BTC,), lambda _: tone)
    with pytest.raises(ValueError, match="tone must be in"):
        inputs.take([Headline(1, 1, "x", "BTC rallies", "p", (BTC,))])
