import pytest

from app.exchange.call_faults import CallFault, Delist, RateLimit


def test_call_fault_is_about_its_paths() -> None:
    assert CallFault().meets("/api/v3/time")
    assert CallFault(paths=("klines", "depth")).meets("/api/v3/depth")
    assert not CallFault(paths=("klines",)).meets("/api/v3/depth")


def test_rate_limit_is_429_or_418() -> None:
    with pytest.raises(ValueError, match="rate_limit status must be a known name, was 503"):
        RateLimit(status=503)


def test_delisting_names_its_symbols() -> None:
    with pytest.raises(ValueError, match="symbols must be given for delist"):
        Delist()
