import pytest

from app.exchange.socket_faults import BadFrame, Duplicate, Swap


def test_swap_takes_two_different_symbols() -> None:
    assert Swap(symbols=("BTCUSDT", "ETHUSDT")).symbols == ("BTC/USDT", "ETH/USDT")
    with pytest.raises(ValueError, match="symbols must be two for swap"):
        Swap(symbols=("BTCUSDT", "BTC/USDT"))


def test_frames_have_bounds() -> None:
    with pytest.raises(ValueError, match="copies must be between 1 and 20, was 0"):
        Duplicate(copies=0)
    with pytest.raises(ValueError, match="bad_frame what must be a known name, was 'cu'"):
        BadFrame(what="cu")
