import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import HOUR, random_bars, shuffled

from opportunity.detectors.base import WARMUP
from opportunity.detectors.news import News, weigh_news
from opportunity.detectors.news_tone import tone
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.market.bars import Bars
from opportunity.market.observations import Headline, Heartbeat, Record
from opportunity.market.readers import read_bars
from opportunity.market.timeframe import HOUR_MS, MINUTE_MS

BARS = random_bars(124, seed=3)
TEST = replace(BARS, symbol="BTC/USDT")
NEVER = float("nan")


def beats(first: int, last: int) -> list[Record]:
    """A heartbeat at the close of each bar from `first` to `last`."""
    return [
        Heartbeat(t, t, "desk", "headline")
        for t in (int(TEST.time[k]) + HOUR for k in range(first, last + 1))
    ]


def headline(bar: int, minute: int, title: str, publisher: str = "Reuters") -> Headline:
    """A headline that arrives `minute` minutes into a bar, written an hour before."""
    at = int(TEST.time[bar]) + minute * MINUTE_MS
    return Headline(at - HOUR_MS, at, "desk", title, publisher)


def told(found, first: int = 0) -> list[tuple[int, str, int, str]]:
    return [(e.bar, e.kind, e.side, e.state) for e in found.events if e.bar >= first]


def test_golden_good_news_then_a_hack():
    # tone 2 / sqrt(8), impact 0.6, trust 1: p = 0.4243, half-life 6 h
    # tone -3.5 / sqrt(16.25), impact 1, trust 1: p = -0.8682, half-life 24 h
    records = [
        *beats(0, 123),
        headline(102, 30, "Bitcoin fund sees inflows"),
        headline(105, 60, "Bitcoin wallet provider hacked"),
        headline(107, 10, "Bitcoin developers meet in Lisbon"),
    ]
    found = News().detect(TEST, records)
    expected = {  # bar: T, score, confidence
        98: (0.0, NEVER, NEVER),
        99: (0.0, 0.0, 0.0),
        101: (0.0, 0.0, 0.0),
        102: (0.400452, 0.285945, 0.114378),
        103: (0.356762, 0.262951, 0.105180),
        104: (0.317839, 0.241182, 0.096473),
        105: (0.283162 - 0.868243, -0.369117, 0.161428),
        106: (0.252269 - 0.843526, -0.371566, 0.160994),
        123: (0.035395 - 0.516260, -0.324719, 0.133086),
    }
    for bar, (balance, score, confidence) in expected.items():
        assert found.outputs["balance"][bar] == pytest.approx(balance, abs=2e-6), bar
        assert found.score[bar] == pytest.approx(score, abs=2e-6, nan_ok=True), bar
        assert found.confidence[bar] == pytest.approx(confidence, abs=2e-6, nan_ok=True), bar
    items = found.outputs["items"]
    assert [items[k] for k in (101, 102, 104, 105, 107, 123)] == [0, 1, 1, 2, 2, 2]
    assert told(found) == [(102, "headline", 1, "active"), (105, "major", -1, "active")]
    good, bad = found.events
    assert (good.text, bad.text) == (
        "Bullish headline, tone +0.71 (active)", "Bearish major headline, tone -0.87 (active)"
    )  # fmt: skip
    assert good.points == ((int(TEST.time[102]), TEST.close[102], "N"),)
    assert (good.quality, bad.quality) == pytest.approx((0.424264, 0.868243), abs=1e-6)


def test_golden_the_whole_market_a_repeat_and_a_dead_feed():
    # "Fed cuts rates": tone 2 / sqrt(8), impact 0.6, trust 0.4 (unknown), link 0.4: p = 0.0679
    # told by a second publisher: x 1.25; "Ethereum ..." is not about BTC
    records = [
        *beats(0, 110),
        headline(101, 60, "Fed cuts rates", "A paper"),
        headline(104, 0, "Ethereum bridge hacked"),
        headline(107, 60, "Fed cuts rates!", "Another paper"),
        headline(108, 60, "FED CUTS RATES", "A paper"),
        headline(115, 40, "Cats are liked"),
    ]
    found = News().detect(TEST, records)
    expected = {
        100: (0.0, 0.0, 0.0),
        101: (0.067882, 0.063567, 0.025427),
        104: (0.048000, 0.045801, 0.018321),
        106: (0.038097, 0.036699, 0.014680),
        107: (0.042426, 0.040700, 0.016280),
        108: (0.037797, 0.036421, 0.014568),
        110: (0.030000, 0.029126, 0.011650),
        111: (NEVER, NEVER, NEVER),  # an hour after the last beat
        114: (NEVER, NEVER, NEVER),
        115: (0.016836, 0.0, 0.006623),  # alive again by any headline; too faint for a score
        116: (NEVER, NEVER, NEVER),
    }
    for bar, (balance, score, confidence) in expected.items():
        assert found.outputs["balance"][bar] == pytest.approx(balance, abs=2e-6, nan_ok=True), bar
        assert found.score[bar] == pytest.approx(score, abs=2e-6, nan_ok=True), bar
        assert found.confidence[bar] == pytest.approx(confidence, abs=2e-6, nan_ok=True), bar
    assert told(found) == [(101, "headline", 1, "active"), (107, "headline", 1, "touched")]
    first, again = found.events
    assert first.id == again.id
    assert again.quality == pytest.approx(1.25 * first.quality)
    other = News().detect(replace(TEST, symbol="ETH/USDT"), records)
    assert other.score[104] < -0.4


def test_without_a_feed_nothing_is_available():
    for records in (None, [], [Heartbeat(0, 0, "x", "trade")]):
        found = News().detect(TEST, records)
        assert not found.available.any()
        assert not found.connected
        assert found.events == []


def test_a_feed_that_is_alive_and_silent_abstains():
    found = News().detect(TEST, beats(0, 123))
    assert found.available.sum() == len(TEST) - WARMUP + 1
    assert (found.score[WARMUP - 1 :] == 0).all()
    assert (found.confidence[WARMUP - 1 :] == 0).all()


@pytest.mark.parametrize(
    ("balance", "strength", "score", "confidence"),
    [(0, 0, 0, 0), (1, 1, 0.5, 0.2), (-1, 1, -0.5, 0.2), (0, 1, 0, 0.1), (9, 9, 0.9, 0.36),
     (-1, 3, -0.5, 0.2)],
)  # fmt: skip
def test_score_and_confidence_follow_the_sums(balance, strength, score, confidence):
    found = weigh_news(float(balance), float(strength), 0.4)
    assert found == pytest.approx((score, confidence))
    if strength:  # as it is written in the docs
        n, t = strength, abs(balance)
        assert found[1] == pytest.approx(0.4 * n / (1 + n) * (0.5 + 0.5 * t / n))


def stream(seed: int = 6) -> list[Record]:
    rng = np.random.default_rng(seed)
    titles = (
        "BTC adopted by bank",
        "Exchange halts withdrawals",
        "Bitcoin slides",
        "Fed cuts rates",
    )
    return [
        *beats(0, 123),
        *(headline(int(k), int(m), f"{titles[i % 4]} {i}", f"P{i % 3}")
          for i, (k, m) in enumerate(rng.integers((0, 1), (124, 60), (90, 2)))),
    ]  # fmt: skip


def test_streaming_equals_batch_bit_for_bit_in_one_universe_or_another():
    records = stream()
    whole = News().detect(TEST, records)
    detector = News()
    inputs = detector.new_inputs(("ETH/USDT", "BTC/USDT", "PENGU/USDT"))
    records.sort(key=lambda r: r.available_at)
    at = 0
    pairs = []
    for bar in TEST:
        closed = bar.time + HOUR
        end = next((i for i in range(at, len(records)) if records[i].available_at > closed), None)
        inputs.take(records[at:end])
        at = len(records) if end is None else end
        row = inputs.rows(np.array([1]), np.array([bar.time]), np.array([closed]))
        pairs.append(detector.update(bar, row[0]))
        inputs.forget(closed)
    np.testing.assert_array_equal(np.array(pairs).T, [whole.score, whole.confidence])


def test_later_records_and_bars_never_change_the_past():
    records = stream()
    whole = News().detect(TEST, records)
    for cut in range(1, len(TEST), 7):
        part = TEST[:cut]
        known = [r for r in records if r.available_at <= part.time[-1] + HOUR]
        found = News().detect(part, known)
        np.testing.assert_array_equal(found.score, whole.score[:cut])
        assert found.events == [e for e in whole.events if e.bar < cut]


def test_a_record_known_later_than_the_close_changes_nothing():
    close = int(TEST.time[110]) + HOUR
    late = Headline(close - HOUR, close + 1, "desk", "Bitcoin wallet provider hacked", "Reuters")
    with_it, without = (News().detect(TEST, [*beats(0, 123), *more]) for more in ([late], []))
    np.testing.assert_array_equal(with_it.score[:111], without.score[:111])
    assert with_it.score[111] < without.score[111]


def test_opposite_tone_negates_score_and_sides_bit_for_bit():
    records = stream()
    one = News().detect(TEST, records)
    other = News(tone=opposite).detect(TEST, records)
    np.testing.assert_array_equal(other.score, -one.score)
    np.testing.assert_array_equal(other.confidence, one.confidence)
    assert told(other) == [(bar, kind, -side, state) for bar, kind, side, state in told(one)]


def opposite(title: str) -> float:
    return -tone(title)


def test_pickles_with_a_tone_of_its_own():
    detector = pickle.loads(pickle.dumps(News(tone=opposite, publishers={"Desk": 1.0})))
    assert detector.tone is opposite
    assert detector.publishers == {"Desk": 1.0}


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_weights_of_publishers_are_checked(weight):
    with pytest.raises(ValueError, match=r"publishers\['Desk'\] must be in \[0, 1\], was"):
        News(publishers={"Desk": weight})


async def test_simulated_market_gives_news_a_score():
    feed = SimulatedFeed(symbols=("BTC/USDT", "SOL/USDT"))
    start = await feed.open()
    bars = await feed.history("SOL/USDT", "1h", 300, start)
    news = await feed.observations((Headline, Heartbeat), int(bars.time[0]), start)
    await feed.close()
    lively = [
        Heartbeat(t, t, "x", "headline") for t in range(int(bars.time[0]), start, 10 * MINUTE_MS)
    ]
    found = News().detect(bars, [*news, *lively])
    score = found.score[WARMUP - 1 :]
    assert np.isfinite(score).all()
    assert (score != 0).mean() > 0.5
    assert {e.side for e in found.events} == {-1, 1}


def recorded(market_data) -> list[Record]:
    news = pd.read_parquet(market_data / "news" / "crypto_news.parquet").dropna(subset=["title"])
    times = news["timestamp"].astype("int64").tolist()
    lively = range(min(times), max(times), 10 * MINUTE_MS)
    return [
        *(Headline(*row) for row in zip(times, times, ["file"] * len(times), news["title"],
                                        news["source"], strict=True)),
        *(Heartbeat(t, t, "file", "headline") for t in lively),
    ]  # fmt: skip


def market(market_data, symbol: str) -> Bars:
    bars = read_bars(market_data / "binance" / symbol / "1h.parquet")
    return replace(bars, symbol=symbol.replace("-", "/"), timeframe="1h")


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("symbol", "spoken", "items", "pins"),
    [("BTC-USDT", 0.78, 13.2, 387), ("ETH-USDT", 0.76, 9.57, 287)],
)
def test_rates_on_recorded_headlines(market_data, symbol, spoken, items, pins):
    bars = market(market_data, symbol)
    found = News().detect(bars, recorded(market_data))
    known = found.available
    assert known.sum() == 4804
    assert (found.score[known] != 0).mean() == pytest.approx(spoken, abs=0.02)
    assert found.outputs["items"][known].mean() == pytest.approx(items, rel=0.03)
    assert 1000 * len(found.events) / known.sum() == pytest.approx(pins, rel=0.03)
    assert found.confidence[known].max() < 0.4


@pytest.mark.realdata
def test_on_shuffled_bars_news_tell_nothing(market_data):
    bars, records = market(market_data, "BTC-USDT"), recorded(market_data)
    inside = (bars.time >= records[0].available_at) & (bars.time < records[4746].available_at)
    bars = bars[int(np.argmax(inside)) : int(inside.size - np.argmax(inside[::-1]))]
    found = News().detect(bars, records)
    at = np.array([e.bar for e in found.events if 100 <= e.bar < len(bars) - 26])
    side = np.array([e.side for e in found.events if 100 <= e.bar < len(bars) - 26])
    means = []
    for seed in range(8):
        close = shuffled(bars, seed).close
        moves = np.log(close[np.minimum(at + 24, close.size - 1)] / close[at])
        means.append((side * (moves - moves.mean())).mean())
    assert abs(np.mean(means)) < 3 * np.std(means, ddof=1) / np.sqrt(len(means))


def test_what_it_goes_by_is_said_in_words():
    nan = float("nan")
    assert News().remark({"balance": nan, "items": nan}) == ""
    assert News().remark({"balance": 0.0, "items": 0.0}) == "no headline with a tone"
    one = News().remark({"balance": -0.5, "items": 1.0})
    assert one == "1 headline with a tone, balance -0.50"
