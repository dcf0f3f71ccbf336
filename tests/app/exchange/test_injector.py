import pytest

from app.exchange.call_faults import ClockSkew, Delist, RateLimit, ServerError, SlowAnswer
from app.exchange.injector import Faults


@pytest.fixture
def faults(real: list[float]) -> Faults:
    return Faults(lambda: real[0], lambda: int(real[0] * 1000))


def strikes(faults: Faults, n: int) -> list[bool]:
    return [bool(faults.struck("/api/v3/time", None)) for _ in range(n)]


def test_fault_begins_and_ends_in_real_time(faults: Faults, real: list[float]) -> None:
    faults.add(ServerError(after_s=2, for_s=3))
    seen = []
    for second in range(7):
        real[0] = float(second)
        seen += strikes(faults, 1)
    assert seen == [False, False, True, True, True, False, False]
    assert faults.injected == {"server_error": 3}
    assert [i.time for i in faults.log] == [2_000, 3_000, 4_000]


def test_times_every_and_probability(faults: Faults) -> None:
    number = faults.add(ServerError(times=2))
    assert strikes(faults, 4) == [True, True, False, False]
    faults.remove(number)
    faults.add(ServerError(every=3))
    assert strikes(faults, 7) == [False, False, True] * 2 + [False]
    faults.clear()
    faults.add(ServerError(probability=0.25, seed=1))
    assert 60 < sum(strikes(faults, 400)) < 140


def test_same_seed_same_strikes(real: list[float]) -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(lambda: 0.0, lambda: 0)
        faults.add(ServerError(probability=0.5, seed=seed))
        return strikes(faults, 100)

    assert drawn(3) == drawn(3) != drawn(4)


def test_ban_counts_every_call_inside(faults: Faults, real: list[float]) -> None:
    faults.add(RateLimit(status=418, retry_after_s=10, times=1))
    assert faults.banned() is None
    assert faults.struck("/x", None)
    real[0] = 4.5
    ban = faults.banned()
    assert ban is not None
    assert (ban.status, ban.retry_after_s) == (418, 6)
    real[0] = 10.0
    assert faults.banned() is None
    assert (faults.calls, faults.calls_in_ban) == (3, 1)


def test_shorter_ban_does_not_end_a_longer_one(faults: Faults, real: list[float]) -> None:
    faults.add(RateLimit(status=418, retry_after_s=10, times=1))
    faults.struck("/x", None)
    faults.add(RateLimit(retry_after_s=1, times=1))
    faults.struck("/x", None)
    real[0] = 5.0
    ban = faults.banned()
    assert ban is not None
    assert ban.status == 418
    faults.clear()
    assert faults.banned() is None


def test_several_faults_strike_one_call(faults: Faults) -> None:
    faults.add(SlowAnswer(delay_s=1))
    faults.add(ServerError())
    assert [f.kind for f in faults.struck("/x", None)] == ["slow", "server_error"]


def test_skew_and_delisting_are_noted_once(faults: Faults) -> None:
    faults.add(ClockSkew(by_ms=-1_500))
    faults.add(Delist(symbols=("BTC/USDT",)))
    for _ in range(3):
        assert faults.skew_ms() == -1_500
        assert faults.delisted("BTC/USDT")
        assert not faults.delisted("ETH/USDT")
    assert faults.injected == {"clock_skew": 1, "delist": 1}


def test_listing_says_what_is_on(faults: Faults, real: list[float]) -> None:
    number = faults.add(ServerError(after_s=1, times=1))
    assert faults.listed()[0] == {
        "id": number, "on": False, "strikes": 0, **ServerError(after_s=1, times=1).as_dict()
    }  # fmt: skip
    real[0] = 1.0
    assert faults.listed()[0]["on"] is True
    strikes(faults, 1)
    assert (faults.listed()[0]["on"], faults.listed()[0]["strikes"]) == (False, 1)
    with pytest.raises(ValueError, match="fault must be one that is on, was 99"):
        faults.remove(99)
