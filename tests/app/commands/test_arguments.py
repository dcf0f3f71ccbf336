import argparse

import pytest

from app.commands import arguments


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-02", 86_400_000),
        ("1970-01-01T01:00", 3_600_000),
        ("1970-01-01T01:00Z", 3_600_000),
        ("1970-01-01T01:00+01:00", 0),
        ("1725580800000", 1_725_580_800_000),
        ("2024", 1_704_067_200_000),
        ("2024-02", 1_706_745_600_000),
    ],
)
def test_moments(text, ms):
    assert arguments.moment(text) == ms
    assert arguments.at(text) == ms
    assert arguments.at("each") == "each"


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (arguments.moment, "soon", "time must be ISO 8601"),
        (arguments.moment, "NaT", "time must be ISO 8601"),
        (arguments.moment, "02/05/2025", "time must be ISO 8601"),
        (arguments.moment, "5 May 2025", "time must be ISO 8601"),
        (arguments.share, "x", "must be a number in 0..1, was 'x'"),
        (arguments.share, "nan", "must be a number in 0..1, was 'nan'"),
        (arguments.count, "-1", "must be a whole number >= 1"),
        (arguments.weights, "sar=x", "weight sar must be a number, was 'x'"),
        (arguments.one_timeframe, "60m", "timeframe must be a known name"),
        (arguments.one_symbol, "?", "symbol must be"),
    ],
)
def test_wrong_text_says_what_it_must_be(parse, text, message):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        parse(text)
    assert message in str(caught.value)


def test_lists_and_weights():
    assert arguments.symbols("btcusdt, ETH/USDT") == ["BTC/USDT", "ETH/USDT"]
    assert arguments.timeframes("1h,4h") == ["1h", "4h"]
    assert arguments.weights("sar=0.5")["sar"] == 0.5
    assert arguments.preset("aggressive")["smc"] == 0.25


def test_complaints_go_to_stderr(capsys):
    arguments.complain("too short")
    assert capsys.readouterr() == ("", "opportunity: too short\n")
