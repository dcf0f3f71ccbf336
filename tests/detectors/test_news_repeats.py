import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.detectors.news_links import Links
from opportunity.detectors.news_repeats import (
    ALIKE,
    Repeats,
    Story,
    _keys,
    alike,
    corroboration,
    word_set,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS

BTC, ETH, MARKET = (
    Links(frozenset(["BTC"])),
    Links(frozenset(["ETH"])),
    Links(frozenset(), market=True),
)


def story(known: int, title: str, links: Links = BTC, tone: float = 0.5, who: str = "A") -> Story:
    return Story(known, known * 64, known, title, who, links, tone, 0.6, 1.0)


def told(*stories: Story) -> list[int]:
    """For each headline the place of the one that it repeats, its own if it is news."""
    repeats = Repeats()
    firsts = [repeats.add(s) for s in stories]
    return [next(i for i, s in enumerate(stories) if s is first) for first in firsts]


def test_same_words_are_a_repeat_in_any_order_and_spelling():
    assert told(
        story(0, "Fund buys bitcoin for treasury"),
        story(1, "FUND BUYS BITCOIN FOR TREASURY", who="B"),
        story(2, "For treasury, fund buys Bitcoin - C", who="C"),
        story(3, "Fund sells its office"),
    ) == [0, 0, 0, 3]


def test_nearly_the_same_words_are_a_repeat():
    near = "Large fund buys bitcoin for its own treasury reserve"  # 5 of 8 words that count
    far = "Large fund buys bitcoin with borrowed money"  # 3 of 8
    first = "Fund buys bitcoin for treasury reserve again"
    assert told(story(0, first), story(1, near), story(2, far)) == [0, 0, 2]


def test_a_day_later_it_is_news_again_and_a_chain_of_repeats_is_not():
    title = "Fund buys bitcoin for treasury"
    assert told(story(0, title), story(DAY_MS, title)) == [0, 0]
    assert told(story(0, title), story(DAY_MS + 1, title)) == [0, 1]
    chain = [story(k * 20 * HOUR_MS, title) for k in range(4)]
    assert told(*chain) == [0, 0, 0, 0]


def test_the_oldest_of_several_keeps_the_time():
    a = story(0, "alpha beta gamma delta epsilon")
    b = story(1, "gamma delta epsilon zeta theta")  # 3 of 7 like a
    both = story(2, "beta gamma delta epsilon zeta")  # 4 of 6 like either
    assert told(a, b, both) == [0, 1, 0]


def test_other_coins_and_opposite_tones_are_no_repeats():
    assert told(story(0, "Coin listed on exchange"), story(1, "Coin listed on exchange", ETH)) == [
        0,
        1,
    ]
    assert told(
        story(0, "Coin listed on exchange"), story(1, "Coin listed on exchange", MARKET)
    ) == [0, 1]
    approves = story(0, "Regulator approves bitcoin fund today", tone=0.8)
    rejects = story(1, "Regulator rejects bitcoin fund today", tone=-0.8)
    unclear = story(2, "Regulator judges bitcoin fund today", tone=0.0)
    assert told(approves, rejects, unclear) == [0, 1, 0]


def test_words_that_carry_nothing_do_not_count_but_numbers_do():
    assert word_set("It is on the up, 5% to 7k") == {"the", "5%", "7k"}
    assert word_set("Coin rises - The Daily", "The Daily") == {"coin", "rises"}
    assert not alike(word_set("?!"), word_set("?!"))


def test_forgetting_keeps_the_last_day():
    repeats = Repeats()
    old, new = (
        story(0, "Fund buys bitcoin for treasury"),
        story(2 * DAY_MS, "Bank opens custody desk"),
    )
    repeats.add(old)
    repeats.add(new)
    repeats.forget(2 * DAY_MS)
    assert repeats.add(story(2 * DAY_MS + 1, "Bank opens custody desk")) is new
    assert len({id(t.story) for told in repeats._by_word.values() for t in told}) == 1


@pytest.mark.parametrize(("n", "weight"), [(1, 1.0), (2, 1.25), (4, 1.5), (8, 1.75), (50, 1.75)])
def test_corroboration_grows_with_the_logarithm_of_publishers(n, weight):
    assert corroboration(n) == weight


words = st.frozensets(st.sampled_from("abcdefghijkl"), max_size=10)


@given(words, words)
def test_sets_that_are_alike_share_a_key(a, b):
    if not a | b:
        return
    similar = len(a & b) / len(a | b) >= ALIKE - 1e-12
    assert alike(a, b) == similar
    if similar:
        assert set(_keys(a)) & set(_keys(b))
