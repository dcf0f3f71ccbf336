import pytest

from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.venue.asking import Asker
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.venue.sampling import SAMPLES, Sampler
from opportunity.feeds.exchange.venue.transport import Trip, trip

NOW = 1_760_000_000_000
ASK = Asker("binance", Patience(first_s=0.0, longest_s=0.0), lambda: NOW)


def sampler(real=100.0):
    return Sampler("binance", Clock(0, monotonic=lambda: real), lambda: NOW)


async def test_the_middle_between_question_and_answer_counts():
    async def question():
        seen = trip.get()
        seen.sent_at, seen.back_at = 98.0, 99.0
        return NOW + 5

    samples = await sampler().by_asking(ASK, question)
    assert len(samples) == SAMPLES
    assert {(s.server_ms, s.middle, s.wall_ms) for s in samples} == {(NOW + 5, 98.5, NOW - 1500.0)}


@pytest.mark.parametrize("told", [None, "x", 0, NOW // 1000, NOW * 1000, float("inf")])
async def test_no_time_is_garbled(told):
    async def question():
        return told

    with pytest.raises(VenueError, match="gave no time") as caught:
        await sampler().by_asking(ASK, question)
    assert caught.value.kind == "garbled"


def test_the_date_of_an_answer_stands_in():
    one = sampler()
    assert [s.server_ms for s in one.by_date()] == [NOW]
    one.note_date(Trip(sent_at=99.0, back_at=99.0, headers={"Date": "nonsense"}))
    assert [s.server_ms for s in one.by_date()] == [NOW]
    headers = {"Date": "Thu, 09 Oct 2025 08:53:20 GMT"}
    one.note_date(Trip(sent_at=99.0, back_at=99.0, headers=headers))
    sample = one.by_date()[0]
    assert (sample.server_ms, sample.middle, sample.wall_ms) == (NOW + 500, 99.0, NOW - 1000.0)
