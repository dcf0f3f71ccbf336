import pandas as pd
import pytest

from opportunity.detectors.news_links import Links, base_code, find_links, given_links


@pytest.mark.parametrize(
    ("title", "codes"),
    [
        ("BTC slips below 40K", {"BTC"}),
        ("btc slips below 40k", {"BTC"}),
        ("Bitcoin and Ether drift", {"BTC", "ETH"}),
        ("Ethereum's roadmap", {"ETH"}),
        ("Ethereum\u2019s roadmap", {"ETH"}),
        ("Ethereum Classic forks", {"ETC"}),
        ("Bitcoin Cash forks", {"BCH"}),
        ("Bitcoin forks Cash", {"BTC"}),
        ("Ethereum Name Service votes", {"ENS"}),
        ("Shiba Inu burns tokens", {"SHIB"}),
        ("XRP/USDT pair opens", {"XRP"}),
        ("PENGU/USDT pair opens", {"PENGU"}),
        ("$wif to the moon", {"WIF"}),
        ("$500 for a coin", set()),
        ("Ripple effects of the Bitcoin halving", {"BTC"}),
        ("Bitcoin Magazine opens office", set()),
    ],
)
def test_names_and_codes_are_found(title, codes):
    assert find_links(title).codes == codes


@pytest.mark.parametrize(
    ("title", "code", "linked"),
    [
        ("ONE token doubles", "ONE", True),
        ("One more reason to hold", "ONE", False),
        ("one in ten holds coins", "ONE", False),
        ("GAS climbs", "GAS", True),
        ("Gas fees climb", "GAS", False),
        ("NEAR jumps", "NEAR", True),
        ("Near Protocol jumps", "NEAR", True),
        ("Bitcoin near yearly high", "NEAR", False),
        ("Bitcoin Near Yearly High", "NEAR", False),
        ("LINK rallies", "LINK", True),
        ("Link between stocks and coins", "LINK", False),
        ("Chainlink rallies", "LINK", True),
        ("SUN climbs", "SUN", True),
        ("Sun shines on miners", "SUN", False),
        ("SOL falls", "SOL", True),
        ("Costa del sol", "SOL", False),
        ("An avalanche of liquidations", "AVAX", False),
        ("Avalanche opens subnet", "AVAX", True),
        ("Optimism returns", "OP", False),
        ("BITCOIN NEAR A HIGH", "NEAR", False),
        ("BITCOIN NEAR A HIGH", "BTC", True),
        ("BTC ONE STEP AWAY", "ONE", False),
        ("BTC ONE STEP AWAY", "BTC", True),
    ],
)
def test_codes_that_are_words_count_as_they_are_written(title, code, linked):
    assert find_links(title).names(code) == linked


def test_codes_that_the_table_does_not_know_count_in_capitals():
    links = find_links("PENGU climbs after listing")
    assert links.names("PENGU")
    assert links.codes == frozenset()
    assert not find_links("Pengu climbs").names("PENGU")
    assert not find_links("AI and NFT firms meet the SEC").names("AI")
    assert not find_links("AI and NFT firms meet the SEC").names("SEC")


@pytest.mark.parametrize(
    ("title", "market"),
    [
        ("Fed holds rates", True),
        ("Inflation hits decade high", True),
        ("Exchange halts withdrawals", True),
        ("Crypto market turns red", True),
        ("SEC delays decision", True),
        ("Tether prints", True),
        ("Fed worries weigh on Bitcoin", False),  # it names a coin: about that coin
        ("Artist paints a wall", False),
        ("A second look", False),  # "sec" is no part of a word
    ],
)
def test_market_words_count_when_no_coin_is_named(title, market):
    assert find_links(title).market == market


def test_links_meet_by_a_common_coin_or_both_about_the_market():
    btc, both, eth = (Links(frozenset(c)) for c in (["BTC"], ["BTC", "ETH"], ["ETH"]))
    market, nothing = Links(frozenset(), market=True), Links(frozenset())
    assert btc.meets(both)
    assert both.meets(eth)
    assert not btc.meets(eth)
    assert not btc.meets(market)
    assert market.meets(Links(frozenset(), market=True))
    assert nothing.meets(Links(frozenset()))
    assert not nothing.meets(market)


@pytest.mark.parametrize(
    ("symbol", "code"),
    [("BTC/USDT", "BTC"), ("1000SATS/USDT", "SATS"), ("1INCH/USDT", "1INCH"), ("eth/eur", "ETH"),
     ("1000000MOG/USDT", "MOG"), ("BTC/USDT:USDT", "BTC"), ("", "")],
)  # fmt: skip
def test_base_code_is_what_headlines_call_it(symbol, code):
    assert base_code(symbol) == code


def test_given_symbols_are_links():
    assert given_links(("SOL/USDT", "1000SATS/USDC")).codes == {"SOL", "SATS"}
    assert not given_links(("SOL/USDT",)).market


@pytest.mark.parametrize(
    "title", ["", "$", "/", "\u0000", "$$$ /USDT", "A" * 50_000, "/".join("ab" * 999)]
)
def test_any_title_is_read(title):
    assert isinstance(find_links(title), Links)


@pytest.mark.realdata
def test_recorded_headlines_are_linked_as_often_as_measured(market_data):
    titles = pd.read_parquet(market_data / "news" / "crypto_news.parquet")["title"].dropna()
    links = [find_links(title) for title in titles]
    share = {
        "bitcoin or ethereum": sum(bool(k.codes & {"BTC", "ETH"}) for k in links),
        "any coin": sum(bool(k.codes) for k in links),
        "market": sum(k.market for k in links),
    }
    assert share["bitcoin or ethereum"] / len(links) == pytest.approx(0.34, abs=0.01)
    assert share["any coin"] / len(links) == pytest.approx(0.465, abs=0.01)
    assert share["market"] / len(links) == pytest.approx(0.355, abs=0.01)
