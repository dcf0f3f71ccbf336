from said import english

from app.components.context_state import context_state, context_words
from opportunity.detectors.news_inputs import NewsItem
from opportunity.live.context import Context

ITEM = NewsItem("Coin soars", "Our Desk", 0.6, 0.6, 1.0, 0.4, 1, 900, 800)
FULL = Context(
    "BTC/USDT", "simulated", 1000, fear_greed=78.0, fear_greed_change=-4.0, funding=0.94,
    bought=300.0, sold=100.0, large_bought=10.0, large_sold=60.0, imbalance=-0.2, vpin=0.4,
    headlines=(ITEM,),
)


def _facts(state):
    return {english(name): (english(value), tone) for name, value, _, tone in state["facts"]}


def test_facts_are_written_with_their_units_and_sides() -> None:
    facts = _facts(context_state(FULL, price=20_000.0))
    assert facts["Fear & Greed"] == ("78, extreme greed, \N{MINUS SIGN}4 in 7 days", 0)
    assert facts["Funding"] == ("percentile 97 of 90 days", 0)
    assert facts["Large prints 24 h"] == ("net \N{MINUS SIGN}1.0 M USDT", -1)
    assert facts["Takers 24 h"] == ("75 % bought", 1)
    assert facts["Book"] == ("asks 20 % heavier", -1)
    assert facts["VPIN"] == ("0.40", 0)
    assert _facts(context_state(FULL, None))["Large prints 24 h"][0].endswith(" BTC")


def test_what_is_not_known_is_left_out_and_nothing_is_empty() -> None:
    assert context_state(None, 1.0) == {} == context_words(None, 1.0)
    bare = context_state(Context("BTC/USDT", "recorded", 1000), 1.0)
    assert (bare["facts"], bare["headlines"], bare["stamp"]) == ([], [], "recorded")
    assert context_words(Context("BTC/USDT", "recorded", 1000), 1.0) == {}


def test_headlines_keep_their_words_and_say_whom_they_are_about() -> None:
    shown = context_state(FULL, 1.0)["headlines"]
    assert shown == [{
        "title": "Coin soars", "publisher": "Our Desk", "tone": 0.6, "known": 900,
        "market": False, "publishers": 1,
    }]


def test_words_for_the_steps_are_short() -> None:
    words = context_words(FULL, 20_000.0)
    assert set(words) == {"sentiment", "news", "whales"}
    assert english(words["news"]) == "Coin soars (Our Desk, tone +0.60)"
    assert english(words["sentiment"]).startswith("Fear & Greed 78")
