import pandas as pd
import pytest

from opportunity.feeds.records import (
    HEARTBEAT_MS,
    heartbeats,
    read_fear_greed,
    read_funding,
    read_headlines,
    read_long_short,
    read_open_interest,
    read_records,
    read_social_volume,
    read_trades,
    read_transfers,
)
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    Heartbeat,
    LongShort,
    OpenInterest,
    OrderBook,
    SocialVolume,
    Trade,
    Trades,
    Transfer,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS

TIME = 1_704_067_200_000  # 2024-01-01
BTC = "BTC/USDT"


def write(path, n: int = 2, step: int = HOUR_MS, **columns):
    time = [TIME + step * i for i in range(n)]
    pd.DataFrame({"timestamp": time, **columns}).to_csv(path, index=False)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "archive.csv"


def test_fear_and_greed_is_known_when_its_day_is_over(path):
    found = read_fear_greed(write(path, step=DAY_MS, value=[20, 80], classification=["a", "b"]))
    assert found == [
        FearGreed(TIME, TIME + DAY_MS, "archive", 20),
        FearGreed(TIME + DAY_MS, TIME + 2 * DAY_MS, "archive", 80),
    ]
    told = write(path, step=DAY_MS, value=[20, 80], available_at=[TIME + 3 * DAY_MS, TIME + DAY_MS])
    assert read_fear_greed(told, source="x") == [  # in the order in which they became known
        FearGreed(TIME + DAY_MS, TIME + DAY_MS, "x", 80),
        FearGreed(TIME, TIME + 3 * DAY_MS, "x", 20),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(101, "value must be a number >= 0 and <= 100, was 101 in row 1"),
     (40.5, "value must be a whole number, was .*40.5.* in row 1")],
)  # fmt: skip
def test_fear_and_greed_is_whole_and_up_to_a_hundred(path, value, text):
    with pytest.raises(ValueError, match=rf"archive\.csv: {text}"):
        read_fear_greed(write(path, value=[20, value]))


@pytest.mark.parametrize(
    ("column", "cells", "unit"),
    [
        ("funding_rate", [0.0001, -0.0003], None),
        ("funding_rate", [0.01, -0.03], "percent"),
        ("funding_rate", ["0.01 %", "-0.03%"], "percent"),
        ("funding_rate_percent", [0.01, -0.03], None),
        ("funding_rate_percent", ["0.01%", "-0.03 %"], None),
        ("fundingRate", [0.0001, -0.0003], "fraction"),
        ("rate", [0.0001, -0.0003], None),
    ],
)
def test_funding_is_a_fraction_whatever_the_file_says_it_in(path, column, cells, unit):
    file = write(path, step=8 * HOUR_MS, **{column: cells})
    found = read_funding(file, "btcusdt", rate_unit=unit)
    assert [f.rate for f in found] == pytest.approx([0.0001, -0.0003])
    assert found[1] == Funding(
        TIME + 8 * HOUR_MS, TIME + 8 * HOUR_MS, "archive", BTC, found[1].rate
    )


def test_funding_in_percent_is_never_guessed(path):
    file = write(path, funding_rate=[0.01, -0.03])  # would be a whole percent
    assert [f.rate for f in read_funding(file, BTC)] == [0.01, -0.03]
    with pytest.raises(ValueError, match=r"funding_rate must be a number .*, was '0\.01%'"):
        read_funding(write(path, funding_rate=["0.01%", "0.02%"]), BTC)
    with pytest.raises(ValueError, match="rate_unit must be 'fraction' or 'percent', was 'bps'"):
        read_funding(file, BTC, rate_unit="bps")
    rule = r"funding_rate must be a number >= -0.1 and <= 0.1, was 0.5 in row 1"
    with pytest.raises(ValueError, match=rule):
        read_funding(write(path, funding_rate=[0.01, 0.5]), BTC)


def test_funding_of_other_hours_is_brought_to_eight(path):
    file = write(path, funding_rate=[0.0001, 0.0002])
    assert [f.rate for f in read_funding(file, BTC, hours=1)] == pytest.approx([0.0008, 0.0016])
    with pytest.raises(ValueError, match="hours must be > 0 and <= 24, was 0"):
        read_funding(file, BTC, hours=0)


@pytest.mark.parametrize(
    ("read", "kind", "column", "least"),
    [(read_open_interest, OpenInterest, "open_interest", ">= 0"),
     (read_open_interest, OpenInterest, "sumOpenInterest", ">= 0"),
     (read_long_short, LongShort, "longShortRatio", "> 0"),
     (read_social_volume, SocialVolume, "posts", ">= 0")],
)  # fmt: skip
def test_series_of_a_symbol(path, read, kind, column, least):
    found = read(write(path, **{column: [1.5, 2.5]}), BTC, delay_ms=60_000)
    assert found[0] == kind(TIME, TIME + 60_000, "archive", BTC, 1.5)
    with pytest.raises(ValueError, match=f"{column.lower()} must be a number {least}, was -1.0 in"):
        read(write(path, **{column: [-1.0, 2.5]}), BTC)
    with pytest.raises(ValueError, match="columns must hold"):
        read(write(path, other=[1.0, 2.5]), BTC)


def test_transfers_are_known_when_they_are_confirmed(path):
    file = write(
        path, n=4, asset=["BTC"] * 4, amount=[1, 2, 3, 4],
        flow=["inflow", "outflow", "mixed", "unknown"],
        from_exchange=[None, "A", "A", None], to_exchange=["B", None, "A", None],
    )  # fmt: skip
    found = read_transfers(file)
    assert [(t.flow, t.exchange) for t in found] == [
        ("in", "B"), ("out", "A"), ("between", "A"), ("unknown", "")
    ]  # fmt: skip
    assert found[0] == Transfer(TIME, TIME + HOUR_MS, "archive", "BTC", 1.0, "in", "B")
    assert read_transfers(file, delay_ms=0)[0].available_at == TIME
    wrong = write(path, asset=["BTC"] * 2, amount=[1, 2], flow=["in", "sideways"])
    with pytest.raises(ValueError, match="flow must be in, out, between or unknown, was 'side"):
        read_transfers(wrong)
    wrong = write(path, asset=["BTC", None], amount=[1, 2], flow=["in", "in"])
    with pytest.raises(ValueError, match="asset must be a base code, was '' in row 1"):
        read_transfers(wrong)


def test_headlines_keep_their_publisher_and_links(path):
    file = write(path, n=3, title=["A", None, " B "], source=["P", "Q", None],
                 symbols=["BTC-USDT, ethusdt", "", None])  # fmt: skip
    assert read_headlines(file, source="x") == [
        Headline(TIME, TIME, "x", "A", "P", (BTC, "ETH/USDT")),
        Headline(TIME + 2 * HOUR_MS, TIME + 2 * HOUR_MS, "x", "B", "x", ()),
    ]
    wrong = write(path, title=["A", "B"], symbols=["BTC/USDT", "what is this"])
    with pytest.raises(ValueError, match=r"symbols must be symbols .*, was 'what is this' in"):
        read_headlines(wrong)


def test_trades_are_one_block_in_order_of_time(path):
    pd.DataFrame({
        "timestamp": [TIME + 5, TIME], "price": [2.0, 1.0], "amount": [3.0, 4.0],
        "side": ["sell", "BUY"],
    }).to_csv(path, index=False)  # fmt: skip
    found = read_trades(path, BTC, "x")
    assert [*found] == [
        Trade(TIME, TIME, "x", BTC, 1.0, 4.0, "buy"),
        Trade(TIME + 5, TIME + 5, "x", BTC, 2.0, 3.0, "sell"),
    ]
    with pytest.raises(ValueError, match="side must be buy or sell, was 'short' in row 0"):
        read_trades(write(path, price=[1, 2], amount=[1, 2], side=["short", "buy"]), BTC)
    with pytest.raises(ValueError, match="price must be a number > 0, was 0 in row 1"):
        read_trades(write(path, price=[1, 0], amount=[1, 2], side=["buy", "buy"]), BTC)


def test_heartbeats_lie_on_a_grid():
    beats = heartbeats(TIME + 1, TIME + 2 * HEARTBEAT_MS + 1, "x")
    assert beats == [
        Heartbeat(t, t, "x", "headline") for t in (TIME + HEARTBEAT_MS, TIME + 2 * HEARTBEAT_MS)
    ]


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"value": [1, 2]}, FearGreed),
        ({"funding_rate": [0.0, 0.0]}, Funding),
        ({"open_interest": [1, 2]}, OpenInterest),
        ({"long_short_ratio": [1, 2]}, LongShort),
        ({"posts": [1, 2]}, SocialVolume),
        ({"title": ["a", "b"], "source": ["p", "p"], "sentiment": ["x", "y"]}, Headline),
        ({"asset": ["BTC"] * 2, "amount": [1, 2], "flow": ["in"] * 2, "fee": [0, 0]}, Transfer),
        ({"price": [1, 2], "amount": [1, 2], "side": ["buy"] * 2, "cost": [1, 4]}, Trades),
    ],
)
def test_any_file_is_recognised_by_its_columns(path, columns, kind):
    of_symbol = kind in (Funding, OpenInterest, LongShort, SocialVolume, Trades)
    labels = {"symbol": BTC} if of_symbol else {}
    found = read_records(write(path, **columns), source="x", **labels)
    assert {type(r) for r in found} == {kind}
    assert {r.source for r in found} == {"x"}
    assert read_records(path, kind, source="x", **labels)[0].source == "x"
    if of_symbol:
        with pytest.raises(ValueError, match=f"symbol must be given for {kind.__name__}, was not"):
            read_records(path)


def test_what_is_no_record_is_refused(path):
    with pytest.raises(ValueError, match=r"archive\.csv: columns must be those of a kind of"):
        read_records(write(path, open=[1, 2]))
    book = write(path, price=[1, 2], amount=[1, 2], side=["bid", "ask"], update_type=["set"] * 2)
    with pytest.raises(ValueError, match="columns must be those of a kind of record"):
        read_records(book)
    with pytest.raises(ValueError, match=r"kind must be one of FearGreed, .*, was OrderBook"):
        read_records(book, OrderBook)
    with pytest.raises(FileNotFoundError):
        read_records(path.with_name("none.csv"))


@pytest.mark.realdata
def test_recorded_files_are_read(market_data):
    funding = read_records(
        market_data / "binanceusdm" / "BTC-USDT" / "funding_rate.parquet", symbol=BTC
    )
    assert len(funding) == 6_416
    assert sum(f.rate == 0.0001 for f in funding) / 6_416 == pytest.approx(0.40, abs=0.001)
    mood = read_records(market_data / "sentiment" / "fear_greed_1d.parquet")
    assert len(mood) == 2_721
    transfers = read_records(market_data / "whales" / "btc_transfers.parquet")
    assert len(transfers) == 993
    assert sum(t.flow == "unknown" for t in transfers) == 821
    headlines = read_records(market_data / "news" / "crypto_news.parquet")
    assert len(headlines) == 4_747  # 18 rows have no title


def test_labels_that_a_kind_does_not_take_are_named(path):
    write(path, step=DAY_MS, value=[20, 80])
    with pytest.raises(ValueError, match=r"label of FearGreed must be one of .*, was 'symbol'"):
        read_records(path, symbol=BTC)
    assert len(read_records(path, delay_ms=0)) == 2
