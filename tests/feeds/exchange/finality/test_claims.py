from scripted_venue import START, bar, opens

from opportunity.feeds.exchange.finality.claims import MOST_CLAIMS, TRIES, Claims


def test_the_first_claim_on_a_bar_stays_until_it_is_settled():
    claims = Claims()
    claims.add(1, opens(2), bar(1.0))
    claims.add(1, START, bar(2.0))
    claims.add(1, START, bar(3.0))
    assert 1 in claims
    assert 0 not in claims
    assert claims.first(1) == START
    assert claims.settle(1, START) == bar(2.0)
    assert claims.settle(1, START) is None
    assert claims.settle(0, START) is None
    assert claims.first(1) == opens(2)
    claims.forget(1)
    assert 1 not in claims


def test_claims_are_bounded():
    claims = Claims()
    for minute in range(MOST_CLAIMS + 4):
        claims.add(0, opens(minute), bar(1.0))
    assert claims.settle(0, opens(MOST_CLAIMS - 1)) == bar(1.0)
    assert claims.settle(0, opens(MOST_CLAIMS)) is None


def test_a_claim_that_no_answer_decides_is_given_up():
    claims = Claims()
    claims.add(0, START, bar(1.0))
    claims.add(0, opens(9), bar(1.0))
    for n in range(TRIES):
        assert claims.first(0) == START, n
        claims.lack(0, START, opens(9), oldest=0)
    assert claims.first(0) == opens(9)
    claims.lack(0, START, opens(9), oldest=opens(10))  # too old to be told apart
    assert 0 not in claims
    claims.lack(0, START, opens(9), oldest=0)
