from app.api.limits import Bucket, Limits, Strikes


def test_bucket_gives_the_burst_and_then_the_rate():
    bucket = Bucket(rate=20, burst=20, now=0.0)
    assert [bucket.take(0.0) for _ in range(20)] == [0.0] * 20
    assert bucket.take(0.0) == 1 / 20
    assert bucket.take(0.051) == 0.0
    assert bucket.take(0.052) > 0
    assert bucket.take(1_000.0) == 0.0


def test_strikes_fill_only_within_the_window():
    strikes = Strikes(limit=3, window_s=10)
    assert [strikes.add(t) for t in (0, 6, 12)] == [False, False, False]
    assert [strikes.add(t) for t in (13, 14)] == [True, True]


def test_limits_are_those_of_the_protocol():
    limits = Limits()
    assert (limits.max_symbols, limits.max_connections) == (50, 6_000)
    assert limits.max_message == 65_536
    assert (limits.rate_per_s, limits.malformed, limits.strikes_s) == (20, 20, 10)
    assert (limits.ping_s, limits.throttle_s, limits.status_s) == (20, 0.25, 15)
