import pytest

from opportunity.feeds.exchange.venue.asking import Asker
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Patience

NOW = 1_760_000_000_000
QUICK = Patience(first_s=0.0, longest_s=0.0, wait_s=0.05)


async def tried(errors, patience=QUICK):
    """Return the outcome and how often was asked."""
    asked = 0

    async def ask():
        nonlocal asked
        asked += 1
        if asked <= len(errors):
            raise errors[asked - 1]
        return "answer"

    try:
        return await Asker("binance", patience, lambda: NOW)(ask), asked
    except VenueError as error:
        return error, asked


@pytest.mark.parametrize("kind", ["unreachable", "garbled", "limited"])
async def test_three_attempts(kind):
    error = VenueError("x", kind)
    assert await tried([error, error]) == ("answer", 3)
    assert await tried([error] * 3) == (error, 3)


@pytest.mark.parametrize("kind", ["banned", "refused", "unsupported"])
async def test_no_second_attempt_where_it_makes_no_sense(kind):
    error = VenueError("x", kind)
    assert await tried([error]) == (error, 1)


async def test_a_pause_is_waited_for_only_if_it_is_short():
    short, long = (VenueError("x", "limited", NOW + ms) for ms in (20, 60))
    assert await tried([short]) == ("answer", 2)
    assert await tried([long]) == (long, 1)


async def test_errors_of_parsers_become_garbled_and_bugs_pass_through_no_attempt_more():
    outcome, asked = await tried([KeyError("k"), TypeError("t"), ValueError("v")])
    assert (outcome.kind, asked) == ("garbled", 3)
    assert isinstance(outcome.__cause__, ValueError)
