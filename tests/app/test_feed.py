import json
from pathlib import Path

import numpy as np
import pytest

from app.feed import make_feed, parse_time, sources_of
from app.universe import Choice
from opportunity.config import Settings, SettingsError
from opportunity.errors import CoverageError
from opportunity.feeds.exchange.feed import ExchangeFeed, wall_ms
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.feeds.sources import Sources
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import HOUR_MS

NOW = 1_767_614_400_000  # 2026-01-05 12:00 UTC


@pytest.fixture
def folder(tmp_path):
    store = BarStore(tmp_path / "data", "binance")
    close = 100 + np.random.default_rng(1).normal(0, 1, 400).cumsum()
    for symbol in ("BTC/USDT", "ETH/USDT"):
        store.write(Bars.from_arrays(
            NOW - HOUR_MS * np.arange(400, 0, -1), close, close + 1, close - 1, close,
            np.ones(400), timeframe="1h", symbol=symbol,
        ))
    return tmp_path / "data"


def test_simulated_market_starts_now_the_first_time() -> None:
    feed = make_feed(Settings(), None, NOW + 30_500)
    assert isinstance(feed, SimulatedFeed)
    assert len(feed.symbols) == 40
    assert (feed.source, feed.base, feed.clock.speed) == ("simulated", "1m", 60.0)
    assert feed.clock.now() // 60_000 * 60_000 == NOW


def test_simulated_market_goes_on_where_it_stood() -> None:
    assert make_feed(Settings(), NOW - HOUR_MS, NOW).clock.now() == NOW - HOUR_MS


def test_named_start_wins_over_the_remembered_one() -> None:
    feed = make_feed(Settings(start="2025-03-01T00:00"), NOW, NOW)
    assert feed.clock.now() == parse_time("2025-03-01")


def test_settings_reach_the_exchange(tmp_path: Path) -> None:
    feed = make_feed(
        Settings(feed="exchange", exchange="kraken", top=7, quote="eur", home=tmp_path), None, NOW
    )
    assert isinstance(feed, ExchangeFeed)
    assert (feed.venue.name, feed.base, feed.symbols) == ("kraken", "1m", ())
    assert feed.on_wall_time
    assert not feed.lasting


def test_a_local_exchange_is_never_taken_for_a_real_one(tmp_path: Path) -> None:
    settings = Settings(feed="exchange", exchange_url="http://127.0.0.1:9", home=tmp_path)
    assert make_feed(settings, None, NOW).source == "simulated"
    assert make_feed(Settings(feed="exchange", home=tmp_path), None, NOW).source == "binance"


def test_bans_of_the_feed_are_those_that_fetch_and_doctor_obey(tmp_path: Path) -> None:
    (tmp_path / "bans").mkdir()
    now = wall_ms()
    ban = {"at": now, "until": now + HOUR_MS, "kind": "banned", "strikes": 1}
    (tmp_path / "bans" / "binance.json").write_text(json.dumps(ban))
    feed = make_feed(Settings(feed="exchange", home=tmp_path), None, NOW)
    assert feed.venue.gate.paused_until is not None
    assert feed.status().state == "banned"


NEWS = {"news_sources": "desk=https://news.example/rss"}


async def test_headlines_and_mood_are_asked_for_where_time_is_wall_time(tmp_path: Path) -> None:
    settings = Settings(feed="exchange", home=tmp_path, fear_greed=True, **NEWS)
    sources = sources_of(settings, make_feed(settings, None, NOW), lambda: NOW)
    assert isinstance(sources, Sources)
    assert next(health.name for health in sources.health) == "desk"
    assert len(sources.health) == 2
    await sources.close()


def test_pollers_stay_off_where_time_is_made_up(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, fear_greed=True, **NEWS)
    assert sources_of(settings, make_feed(settings, None, NOW), lambda: NOW) is None
    plain = Settings(feed="exchange", home=tmp_path)
    assert sources_of(plain, make_feed(plain, None, NOW), lambda: NOW) is None


def test_settings_reach_the_simulated_market() -> None:
    settings = Settings(symbols="eth-usdt,BTCUSDT", seed=3, speed=600)
    feed = make_feed(settings, None, NOW)
    assert feed.symbols == ("ETH/USDT", "BTC/USDT")
    assert feed.market.seed == 3
    assert feed.clock.speed == 600


def test_choice_of_people_is_used_unless_settings_name_symbols() -> None:
    five = Choice(top=5)
    assert len(make_feed(Settings(), None, NOW, choice=five).symbols) == 5
    named = Choice(symbols=("SOL/USDT",))
    assert make_feed(Settings(), None, NOW, choice=named).symbols == ("SOL/USDT",)
    flags = Settings(symbols="BTCUSDT")
    assert make_feed(flags, None, NOW, choice=named).symbols == ("BTC/USDT",)
    assert len(make_feed(Settings(top=40), None, NOW, choice=five).symbols) == 40


def test_symbols_with_open_positions_are_watched_whatever_was_chosen(tmp_path: Path) -> None:
    held = ("DOGE/USDT", "GONE/EUR", "BTC/USDT")
    flags = Settings(symbols="BTCUSDT")
    assert make_feed(flags, None, NOW, held=held).symbols == ("BTC/USDT", "DOGE/USDT")
    named = Choice(symbols=("SOL/USDT",))
    assert make_feed(Settings(), None, NOW, choice=named, held=held).symbols == (
        "SOL/USDT", "DOGE/USDT", "BTC/USDT",
    )
    feed = make_feed(Settings(feed="exchange", home=tmp_path), None, NOW, held=held)
    assert feed._held == held


def test_choice_reaches_the_exchange(tmp_path: Path) -> None:
    settings = Settings(feed="exchange", home=tmp_path)
    feed = make_feed(settings, None, NOW, choice=Choice("EUR", 7))
    assert (feed._wanted, feed._quote) == (7, "EUR")
    named = make_feed(settings, None, NOW, choice=Choice(symbols=("BTC/EUR",)))
    assert named._wanted == ("BTC/EUR",)


def test_replay_holds_what_its_folder_has(folder) -> None:
    settings = Settings(feed="replay", data=folder, symbols="ETHUSDT")
    feed = make_feed(settings, None, NOW, held=("BTC/USDT", "XRP/USDT"))
    assert feed.symbols == ("ETH/USDT", "BTC/USDT")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"symbols": "???"}, "symbol must be"),
        ({"start": "yesterday"}, "start must be an ISO 8601 time, was 'yesterday'"),
        ({"start": "2015-01-01"}, "start_ms must be >="),
        ({"feed": "replay"}, "data must name a folder"),
        ({"feed": "exchange", "start": "2025-03-01"}, "start must be empty"),
        ({"feed": "exchange", "exchange": "binnance"}, "Did you mean 'binance'"),
        ({"feed": "exchange", "exchange": "kraken", "exchange_url": "http://127.0.0.1:9"},
         "exchange must be binance with exchange_url"),
    ],
)
def test_wrong_settings_are_named(values, words) -> None:
    with pytest.raises(ValueError, match=words):
        make_feed(Settings(**values), None, NOW)


def test_replay_reads_the_folder(folder) -> None:
    feed = make_feed(Settings(feed="replay", data=folder, speed=3_600), NOW, NOW)
    assert isinstance(feed, ReplayFeed)
    assert feed.symbols == ("BTC/USDT", "ETH/USDT")
    assert (feed.source, feed.base) == ("replay:binance", "1h")
    assert feed.clock.speed == 3_600


def test_replay_of_some_symbols_from_a_time(folder) -> None:
    start = NOW - 100 * HOUR_MS
    settings = Settings(
        feed="replay", data=folder, exchange="binance", symbols="ETHUSDT",
        start="2026-01-01T08:00Z",
    )
    feed = make_feed(settings, None, NOW)
    assert feed.symbols == ("ETH/USDT",)
    assert feed.clock.now() == start


def test_replay_of_what_is_not_there_names_it(folder) -> None:
    with pytest.raises((CoverageError, ValueError), match="XYZ/USDT"):
        make_feed(Settings(feed="replay", data=folder, symbols="XYZUSDT"), None, NOW)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("", None),
        ("2026-01-05T12:00", NOW),
        ("2026-01-05 12:00:00", NOW),
        ("2026-01-05T12:00:00Z", NOW),
        ("2026-01-05T13:00:00+01:00", NOW),
        ("2026-01-05", NOW - 12 * HOUR_MS),
        ("2026-01-05T12:00:00.001", NOW + 1),
        ("2026-01-05T12:00:00.999", NOW + 999),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text, time) -> None:
    assert parse_time(text) == time


@pytest.mark.parametrize("text", ["yesterday", "1767614400000", "2026-13-01", "12:00", "1999-01-01",
                                  "0001-01-01", "9999-12-31T23:59"])
def test_what_is_no_time_of_a_market_is_refused(text) -> None:
    with pytest.raises(SettingsError, match="start must"):
        parse_time(text)


def test_a_start_that_is_asked_for_is_gone_through_again(tmp_path) -> None:
    asked = Settings(home=tmp_path, symbols=("BTC/USDT",), start="2026-01-05T12:00:00Z")
    goes_on = Settings(home=tmp_path, symbols=("BTC/USDT",))
    now = 1_767_614_400_000
    assert make_feed(asked, now, now).starts_over
    assert not make_feed(goes_on, now, now).starts_over
