"""Problems: what the server says arrives, what it does not say is not made up."""

from opportunity.remote.problems import RemoteError


def test_a_problem_document_is_read():
    error = RemoteError.of(
        422, {"detail": "x: must be", "code": "invalid", "field": "x", "request_id": "r"}, {}
    )
    assert (str(error), error.status, error.code) == ("x: must be", 422, "invalid")
    assert (error.field, error.request_id, error.passing) == ("x", "r", False)


def test_a_page_of_a_proxy_is_told_by_its_status():
    error = RemoteError.of(502, None, {})
    assert (str(error), error.code) == ("the server answered 502", "http_502")


def test_what_passes_says_when():
    assert RemoteError.of(503, {}, {"Retry-After": "5"}).retry_after_s == 5.0
    assert RemoteError.of(429, {}, {"Retry-After": "Wed, 21 Oct"}).retry_after_s is None
    assert all(RemoteError.of(status, {}, {}).passing for status in (429, 503))
    assert RemoteError("nobody there").passing
