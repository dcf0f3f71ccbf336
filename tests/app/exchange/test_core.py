from app.exchange.call_faults import ClockSkew, Delist
from app.exchange.core import Core


def test_time_never_goes_back(core: Core, real: list[float]) -> None:
    now = core.advance()
    real[0] += 5
    assert core.advance() == now + 5_000
    real[0] -= 3
    assert core.advance() == now + 5_000


def test_told_time_is_off_but_bars_are_not(core: Core, real: list[float]) -> None:
    opened = core.advance()
    real[0] += 50
    now = core.advance()
    core.faults.add(ClockSkew(by_ms=90_000))
    assert core.told(now) == now + 90_000
    assert core.view.klines(0, "1m", now, None, None, 1)[0].time == opened


def test_symbol_stops_and_trades_again(core: Core) -> None:
    number = core.faults.add(Delist(symbols=("ETH/USDT",)))
    assert [core.trading(row) for row in range(3)] == [True, False, True]
    core.faults.remove(number)
    assert core.trading(1)


def test_names_and_stamp(core: Core) -> None:
    assert core.rows == {"BTCUSDT": 0, "ETHUSDT": 1, "SOLUSDT": 2}
    assert core.stamp == {"source": "simulated", "speed": 1.0}
