from email.utils import formatdate
from typing import get_args

import aiohttp
import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.errors import OpportunityError
from opportunity.feeds.exchange.venue.failures import (
    LONGEST_MS,
    FailureKind,
    VenueError,
    classify,
    moment_ms,
    retry_after_ms,
)

ccxt_errors = ccxt.errors
NOW = 1_760_000_000_000


def cut():
    try:
        try:
            raise aiohttp.ClientPayloadError("short")
        except aiohttp.ClientPayloadError as cause:
            raise ccxt_errors.ExchangeError("binance GET") from cause
    except ccxt_errors.ExchangeError as error:
        return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ccxt_errors.DDoSProtection("429"), "limited"),
        (ccxt_errors.RateLimitExceeded("-1003"), "limited"),
        (ccxt_errors.ExchangeNotAvailable("502"), "unreachable"),
        (ccxt_errors.OnMaintenance(""), "unreachable"),
        (ccxt_errors.RequestTimeout("x"), "unreachable"),
        (ccxt_errors.OperationFailed("-1000"), "unreachable"),
        (ccxt_errors.NetworkError("1006"), "unreachable"),
        (ccxt_errors.ChecksumError("x"), "unreachable"),
        (ccxt_errors.BadResponse("x"), "garbled"),
        (ccxt_errors.NullResponse("x"), "garbled"),
        (cut(), "garbled"),
        (ccxt_errors.ExchangeError("unknown code"), "garbled"),
        (ccxt_errors.BadSymbol("x"), "refused"),
        (ccxt_errors.BadRequest("x"), "refused"),
        (ccxt_errors.NotSupported("x"), "unsupported"),
        (ccxt_errors.AuthenticationError("x"), "unsupported"),
        (TypeError("x"), "garbled"),
        (KeyError("x"), "garbled"),
        (ValueError("x"), "garbled"),
        (ZeroDivisionError("x"), "garbled"),
        (AttributeError("x"), "garbled"),
        (TimeoutError(), "unreachable"),
        (ConnectionRefusedError(), "unreachable"),
        (RuntimeError("x"), "unreachable"),
    ],
    ids=lambda v: v if isinstance(v, str) else type(v).__name__,
)
def test_every_error_has_its_kind(error, kind):
    failure = classify(error, {}, NOW, "binance")
    assert failure.kind == kind
    assert failure.retryable == (kind in ("unreachable", "limited", "garbled"))
    assert failure.retry_at is None
    assert isinstance(failure, OpportunityError)
    assert str(failure).startswith("binance ")


def test_every_class_of_ccxt_is_known():
    for name in dir(ccxt_errors):
        kind = getattr(ccxt_errors, name)
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert classify(kind("x"), {}, NOW).kind


def test_texts_hold_no_address_and_are_short():
    error = ccxt_errors.ExchangeNotAvailable(f"binance GET https://u:p@api.x/y?k=1 {'z' * 900}")
    text = str(classify(error, {}, NOW, "binance"))
    assert "api.x" not in text
    assert len(text) < 260


def test_a_venue_error_stays_itself():
    error = VenueError("x", "banned", 5)
    assert classify(error, {}, NOW) is error


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60", 60_000), ("0.05", 50), (" 7 ", 7_000), ("1e99", LONGEST_MS), ("inf", LONGEST_MS),
     ("0", None), ("-5", None), ("nan", None), ("soon", None), ("", None),
     (formatdate(NOW / 1000 + 90, usegmt=True), 90_000),
     (formatdate(NOW / 1000 - 90, usegmt=True), None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text, expected):
    assert retry_after_ms({"retry-AFTER": text}, NOW) == expected
    failure = classify(ccxt_errors.DDoSProtection("429"), {"Retry-After": text}, NOW)
    assert failure.retry_at == (None if expected is None else NOW + expected)


def test_a_date_is_held_against_the_clock_that_wrote_it():
    far = NOW / 1000 + 7_200
    headers = {"Retry-After": formatdate(far + 30, usegmt=True), "Date": formatdate(far)}
    assert retry_after_ms(headers, NOW) == 30_000


@given(st.text(max_size=40))
def test_no_header_breaks_it(text):
    wait = retry_after_ms({"Retry-After": text, "Date": text}, NOW)
    assert wait is None or 0 < wait <= LONGEST_MS
    assert moment_ms(text) is None or isinstance(moment_ms(text), float)


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_waiting_helps_where_the_venue_may_answer_later(kind) -> None:
    error = VenueError("no", kind)
    assert error.passing == (kind not in ("refused", "unsupported"))
    assert error.passing >= error.retryable
