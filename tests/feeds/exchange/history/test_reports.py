from opportunity.feeds.exchange.history.reports import N_LISTED, Stream, StreamReport

MINUTE = 60_000
START = 1_704_067_200_000


def test_largest_gaps_are_listed_in_the_order_of_time():
    gaps = tuple((START + 100 * i * MINUTE, START + (101 * i + 1) * MINUTE) for i in range(9))
    report = StreamReport(Stream("BTC/USDT", "1m"), (START, START + 1_000 * MINUTE), gaps=gaps)
    assert report.largest == 9
    assert report.listed() == list(gaps[-N_LISTED:])


def test_document_has_times_as_text():
    report = StreamReport(
        Stream("BTC/USDT", "1m"), (START, START + MINUTE), n_bars=1, first=START, last=START
    )
    body = report.as_dict()
    assert body["first"] == "2024-01-01T00:00Z"
    assert body["error"] is None
    assert (body["largest_gap"], body["gap_spans"]) == (0, [])
