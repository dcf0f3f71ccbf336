from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from opportunity.detectors.news_book import COLUMNS, LIVES
from opportunity.detectors.news_inputs import MARKET_LINK, MEMORY_MS, SILENCE_MS, NewsInputs
from opportunity.detectors.news_tone import read_title, tone
from opportunity.detectors.news_trust import UNKNOWN
from opportunity.market.observations import Headline, Heartbeat, Record, Trade, by_availability
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

T0 = 1_700_000_000_000 // HOUR_MS * HOUR_MS
SYMBOLS = ("BTC/USDT", "ETH/USDT", "ONE/USDT", "BTC/EUR")
GOOD, BAD = "Bitcoin fund sees inflows", "Bitcoin wallet provider hacked"


def news(at: int, title: str = GOOD, who: str = "Paper", **fields) -> Headline:
    return Headline(at - 5 * MINUTE_MS, at, "test", title, who, **fields)


def beats(start: int, end: int, every: int = 10 * MINUTE_MS) -> list[Heartbeat]:
    return [Heartbeat(t, t, "test", "headline") for t in range(start, end, every)]


def inputs(*records: Record, symbols: tuple[str, ...] = SYMBOLS, **fields) -> NewsInputs:
    made = NewsInputs(symbols, **fields)
    made.take(by_availability(records))
    return made


def row(made: NewsInputs, closed: int, symbol: int = 0, length: int = HOUR_MS) -> dict[str, float]:
    rows = made.rows(np.array([symbol]), np.array([closed - length]), np.array([closed]))
    return dict(zip(COLUMNS, rows[0].tolist(), strict=True))


def strength(title: str, link: float = 1.0, trust: float = UNKNOWN) -> float:
    return tone(title) * read_title(title).impact * trust * link


def test_nothing_known_is_nothing_and_not_connected():
    made = inputs()
    assert not made.connected
    assert all(np.isnan(v) for v in row(made, T0).values())
    made.take([Trade(T0, T0, "x", "BTC/USDT", 1.0, 1.0, "buy"), Heartbeat(T0, T0, "x", "trade")])
    assert not made.connected


def test_alive_and_silent_is_zero():
    made = inputs(*beats(T0, T0 + 1))
    assert made.connected
    seen = row(made, T0)
    assert (seen["balance"], seen["strength"], seen["items"]) == (0.0, 0.0, 0.0)
    assert np.isnan(seen["pin_serial_0"])


def test_feed_dies_after_half_an_hour_and_may_come_back():
    made = inputs(news(T0), *beats(T0 + DAY_MS, T0 + DAY_MS + 1))
    assert row(made, T0)["balance"] > 0
    assert row(made, T0 + SILENCE_MS - 1)["balance"] > 0
    assert np.isnan(row(made, T0 + SILENCE_MS)["balance"])
    assert np.isnan(row(made, T0 - 1)["balance"])
    assert not np.isnan(row(made, T0 + DAY_MS)["balance"])


def test_a_headline_counts_from_its_arrival():
    late = Headline(T0 - 10 * HOUR_MS, T0, "test", GOOD, "Paper")
    made = inputs(late, *beats(T0 - DAY_MS, T0 + DAY_MS))
    assert row(made, T0 - 1)["balance"] == 0
    assert row(made, T0)["balance"] == pytest.approx(strength(GOOD))


@pytest.mark.parametrize(("title", "half_life"), [(GOOD, 6 * HOUR_MS), (BAD, 24 * HOUR_MS)])
def test_strength_halves_and_ends(title, half_life):
    made = inputs(news(T0, title), *beats(T0 - DAY_MS, T0 + 8 * DAY_MS))
    p = strength(title)
    for halves in (0, 1, 2, 3.9):
        seen = row(made, T0 + int(halves * half_life))
        assert seen["balance"] == pytest.approx(p * 2.0**-halves, rel=1e-12)
        assert seen["strength"] == abs(seen["balance"])
        assert seen["items"] == 1
    end = T0 + LIVES * half_life
    assert row(made, end - 1)["items"] == 1
    assert row(made, end)["items"] == row(made, end)["balance"] == 0


def test_sums_are_those_of_the_formula_at_any_time():
    rng = np.random.default_rng(1)
    titles = [GOOD, BAD, "Ethereum upgrade delayed", "Fed cuts rates", "Exchange halts withdrawals"]
    at = T0 + np.sort(rng.integers(0, 20 * DAY_MS, 300))
    told = [
        news(int(t), f"{titles[k]} ({t})", f"P{k}")
        for t, k in zip(at, rng.integers(0, 5, 300), strict=True)
    ]
    made = inputs(*told, *beats(T0, T0 + 25 * DAY_MS), symbols=SYMBOLS)
    items = [made.items(s, 0, 2**62) for s in SYMBOLS]
    for closed in rng.integers(T0, T0 + 24 * DAY_MS, 60).tolist():
        for k in range(4):
            p = [
                i.tone * i.impact * i.trust * i.link * 2.0 ** (-(closed - i.known_at) / h)
                for i in items[k]
                for h in [(24 if i.impact == 1 else 6) * HOUR_MS]
                if i.known_at <= closed < i.known_at + 4 * h
            ]
            seen = row(made, closed, k)
            assert seen["balance"] == pytest.approx(sum(p), abs=1e-12)
            assert seen["strength"] == pytest.approx(sum(map(abs, p)), abs=1e-12)
            assert seen["items"] == sum(v != 0 for v in p)


def test_market_wide_news_counts_less_for_every_symbol_and_a_coin_for_its_own():
    title = "Fed cuts rates"
    made = inputs(news(T0, title), news(T0, "Ethereum exploit drains bridge"))
    fed, eth = strength(title, MARKET_LINK), strength("Ethereum exploit drains bridge")
    expected = [fed, fed + eth, fed, fed]
    assert [row(made, T0, k)["balance"] for k in range(4)] == pytest.approx(expected)


def test_symbols_of_one_coin_see_the_same():
    made = inputs(news(T0))
    assert row(made, T0, 0)["balance"] == row(made, T0, 3)["balance"] > 0
    assert row(made, T0, 1)["balance"] == 0


def test_symbols_named_by_the_source_win_over_the_title():
    made = inputs(news(T0, "Bitcoin fund sees inflows", symbols=("ETH/USDT",)))
    assert row(made, T0, 0)["balance"] == 0
    assert row(made, T0, 1)["balance"] == pytest.approx(strength(GOOD))


def test_what_a_symbol_sees_does_not_depend_on_the_universe():
    records = [
        news(T0 + k, t) for k, t in enumerate((GOOD, "PENGU soars", "ONE soars", "Fed cuts rates"))
    ]
    wide, alone = inputs(*records), inputs(*records, symbols=("BTC/USDT",))
    assert row(wide, T0 + 10) == row(alone, T0 + 10)


def test_publishers_weigh_by_the_table_and_by_own_weights():
    known = strength(GOOD, trust=1.0)
    assert row(inputs(news(T0, who="Reuters")), T0)["balance"] == pytest.approx(known)
    own = inputs(news(T0), publishers={"Paper": 0.75})
    assert row(own, T0)["balance"] == pytest.approx(0.75 * known)
    bare = inputs(replace(news(T0, who=""), source="Reuters"))
    assert row(bare, T0)["balance"] == pytest.approx(known)


def test_repeats_of_other_publishers_corroborate_from_when_they_came():
    hour = HOUR_MS
    made = inputs(
        news(T0, who="A"), news(T0 + hour, who="A"), news(T0 + 2 * hour, who="B"),
        news(T0 + 3 * hour, who="C"), *beats(T0, T0 + DAY_MS),
    )  # fmt: skip
    p = strength(GOOD)
    for at, n in ((0, 1), (1, 1), (2, 2), (3, 3), (10, 3)):
        factor = 1 + 0.25 * np.log2(n)
        seen = row(made, T0 + at * hour)
        assert seen["balance"] == pytest.approx(p * factor * 2.0 ** (-at / 6))
        assert seen["items"] == 1
    assert row(made, T0 + DAY_MS)["balance"] == 0


def test_corroboration_ends_at_its_cap_and_after_a_day():
    made = inputs(*(news(T0 + k, who=f"P{k}") for k in range(20)))
    assert row(made, T0 + 20)["balance"] == pytest.approx(1.75 * strength(GOOD), rel=1e-6)
    late = inputs(
        news(T0, BAD, "A"), news(T0 + 20 * HOUR_MS, BAD, "A"), news(T0 + 40 * HOUR_MS, BAD, "B"),
    )  # fmt: skip
    assert row(late, T0 + 40 * HOUR_MS)["balance"] == pytest.approx(strength(BAD) * 2 ** (-40 / 24))


def test_pins_are_the_strongest_new_headlines_of_the_bar():
    made = inputs(
        news(T0 - HOUR_MS, "Bitcoin adopted by bank"),  # as the bar opens: of the bar before
        news(T0 - 30 * MINUTE_MS, "Bitcoin climbs"),
        news(T0 - 20 * MINUTE_MS, BAD),
        news(T0 - 10 * MINUTE_MS, GOOD),
        news(T0, "Nothing about Bitcoin today"),
    )
    seen = row(made, T0)
    assert seen["pin_serial_0"] == (T0 - 20 * MINUTE_MS) * 64
    assert (seen["pin_tone_0"], seen["pin_what_0"]) == (tone(BAD), 2)
    assert seen["pin_quality_0"] == pytest.approx(abs(strength(BAD)))
    assert (seen["pin_tone_1"], seen["pin_what_1"]) == (tone(GOOD), 1)
    later = row(made, T0 + 20 * MINUTE_MS, length=10 * MINUTE_MS)
    assert np.isnan(later["pin_serial_0"])


def test_pin_of_a_repeat_has_the_serial_of_its_story_and_grows():
    made = inputs(news(T0, who="A"), news(T0 + HOUR_MS, who="B"))
    first, second = row(made, T0), row(made, T0 + HOUR_MS)
    assert second["pin_serial_0"] == first["pin_serial_0"]
    assert (first["pin_what_0"], second["pin_what_0"]) == (1, 5)
    assert second["pin_quality_0"] == pytest.approx(1.25 * first["pin_quality_0"])


def test_headlines_of_one_instant_have_serials_of_their_own_in_any_order():
    records = [news(T0, t) for t in (GOOD, BAD, "Bitcoin climbs")]
    one, other = inputs(*records), inputs(*records[::-1])
    assert row(one, T0) == row(other, T0)
    assert row(one, T0)["pin_serial_0"] != row(one, T0)["pin_serial_1"]


def test_records_in_pieces_give_the_same_rows():
    rng = np.random.default_rng(2)
    records = by_availability(
        [
            *(
                news(int(t), f"{[GOOD, BAD][k % 2]} ({k})")
                for k, t in enumerate(T0 + np.sort(rng.integers(0, 9 * DAY_MS, 200)))
            ),
            *beats(T0, T0 + 9 * DAY_MS),
        ]
    )
    whole = inputs(*records)
    pieces = NewsInputs(SYMBOLS)
    closed = np.arange(T0, T0 + 9 * DAY_MS, HOUR_MS)
    at = 0
    for t in closed.tolist():
        end = next(
            (i for i in range(at, len(records)) if records[i].available_at > t), len(records)
        )
        pieces.take(records[at:end])
        at = end
        assert row(pieces, t) == pytest.approx(row(whole, t), abs=0, nan_ok=True)
        pieces.forget(t)
    assert len(pieces._stories) < 0.8 * len(whole._stories)


def test_rows_need_no_records_older_than_the_memory():
    rng = np.random.default_rng(3)
    titles = ("Bitcoin fund sees inflows", "Bitcoin fund sees large inflows", "Fed cuts rates", BAD)
    at = T0 + np.sort(rng.integers(0, 40 * DAY_MS, 600))
    records = by_availability(
        [
            *(news(int(t), titles[rng.integers(4)], f"P{rng.integers(9)}") for t in at),
            *beats(T0, T0 + 40 * DAY_MS, 25 * MINUTE_MS),
        ]
    )
    whole = inputs(*records)
    for closed in rng.integers(T0 + 8 * DAY_MS, T0 + 40 * DAY_MS, 25).tolist():
        recent = [r for r in records if closed - MEMORY_MS < r.available_at <= closed]
        assert row(inputs(*recent), closed) == pytest.approx(row(whole, closed), abs=0, nan_ok=True)


def test_opposite_tones_negate_bit_for_bit():
    rng = np.random.default_rng(4)
    records = [
        news(int(t), f"{[GOOD, BAD][k % 2]} ({k})", f"P{k % 5}")
        for k, t in enumerate(T0 + np.sort(rng.integers(0, 5 * DAY_MS, 300)))
    ]
    plain, turned = inputs(*records), inputs(*records, tone=lambda title: -tone(title))
    for closed in range(T0, T0 + 5 * DAY_MS, 7 * HOUR_MS):
        one, other = row(plain, closed), row(turned, closed)
        for name in COLUMNS:
            sign = -1 if name == "balance" or "tone" in name else 1
            assert other[name] == pytest.approx(sign * one[name], abs=0, nan_ok=True)


def test_tone_of_ones_own_is_used_and_checked():
    assert row(inputs(news(T0), tone=lambda title: -1.0), T0)["balance"] < 0
    for wrong in (1.5, float("nan")):
        with pytest.raises(ValueError, match=r"tone must be in \[-1, 1\], was"):
            inputs(news(T0), tone=lambda title, w=wrong: w)


def test_repeated_records_are_passed_over_and_older_ones_refused():
    made = inputs(news(T0, GOOD), news(T0 + 5, BAD))
    before = row(made, T0 + 5)
    made.take([news(T0, GOOD), news(T0 + 5, BAD)])
    assert row(made, T0 + 5) == before
    with pytest.raises(ValueError, match="available_at must not go back"):
        made.take([news(T0 + 1, "Something new")])
    lively = beats(T0 - DAY_MS, T0)
    made.take(lively)  # another kind has a time of its own
    with pytest.raises(ValueError, match="available_at must not go back"):
        made.take([replace(lively[3], source="another")])
    made.take(lively)


def test_items_give_the_headlines_of_a_symbol():
    made = inputs(
        news(T0, GOOD, "Reuters"), news(T0 + 1, GOOD, "B"), news(T0 + 2, "Fed cuts rates"),
        news(T0 + 3, "Ethereum meeting in Lisbon"), news(T0 + 4, "DOGE soars"),
    )  # fmt: skip
    btc = made.items("BTC/USDC", T0, T0 + 10)
    assert [(i.title, i.link, i.n_publishers) for i in btc] == [
        (GOOD, 1.0, 2),
        ("Fed cuts rates", 0.4, 1),
    ]
    assert btc[0].trust == 1.0
    assert (btc[0].known_at, btc[0].event_time) == (T0, T0 - 5 * MINUTE_MS)
    assert made.items("BTC/USDT", T0, T0 + 1)[0].n_publishers == 1
    assert [i.title for i in made.items("ETH/USDT", T0 + 3, T0 + 10)] == [
        "Ethereum meeting in Lisbon"
    ]
    assert [i.tone > 0 for i in made.items("DOGE/USDT", T0 + 3, T0 + 10)] == [True]
    assert made.items("BTC/USDT", T0 + 10, T0) == []


def test_many_symbols_and_closes_at_once_equal_one_by_one():
    records = [
        news(T0 + k * HOUR_MS, f"{t} ({k})")
        for k in range(60)
        for t in (GOOD, "Ethereum exploit", "Fed cuts rates")
    ]
    made = inputs(*records, *beats(T0, T0 + 3 * DAY_MS))
    rng = np.random.default_rng(5)
    symbols, closed = rng.integers(0, 4, 200), rng.integers(T0 - DAY_MS, T0 + 4 * DAY_MS, 200)
    many = made.rows(symbols, closed - HOUR_MS, closed)
    for k in range(200):
        np.testing.assert_array_equal(
            many[k], list(row(made, int(closed[k]), int(symbols[k])).values())
        )
    assert made.rows(symbols[:0], closed[:0], closed[:0]).shape == (0, len(COLUMNS))


def recorded(market_data) -> list[Headline]:
    found = pd.read_parquet(market_data / "news" / "crypto_news.parquet").dropna(subset=["title"])
    times = found["timestamp"].astype("int64").tolist()
    return [
        Headline(t, t, "file", title, who)
        for t, title, who in zip(times, found["title"], found["source"], strict=True)
    ]


@pytest.mark.realdata
def test_recorded_headlines_hold_two_exact_and_ten_near_repeats(market_data):
    records = recorded(market_data)
    made = inputs(*records)
    assert len(records) == 4747
    assert len(made._stories) == 4747 - 11  # one near pair names different coins
    assert sum(len(s.tellers) > 1 for s in made._stories) == 7
