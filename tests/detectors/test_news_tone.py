"""Headlines here are invented; recorded ones are named by their row only."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from opportunity.detectors.news_tone import NEGATION, clean, read_title, tone

LABELLED = """
+ Bitcoin soars past its old record as funds keep buying
+ Solana jumps 14% on heavy demand
+ Regulator clears the way: spot Ether fund approved
+ Major bank adopts XRP Ledger for cross-border payments
+ Pension fund invests in Bitcoin for the first time
+ Cardano upgrade goes live without a hitch
+ Exchange lists AVAX perpetual contracts
+ Chainlink partners with three stock exchanges
+ Miners accumulate as difficulty eases
+ Weekly inflows into Bitcoin funds hit a record high
+ Court dismisses case against wallet maker
+ Ripple wins appeal against regulator
+ Polkadot developers unveil faster bridge
+ Payment giant integrates USDC on Solana
+ Startup raises 40 million USD to build Bitcoin rollups
+ Country declares Bitcoin legal tender
+ Inflation cools more than expected, crypto rallies
+ Central bank cuts rates, traders turn bullish
+ Dogecoin rebounds from yearly lows
+ Lawmakers pass bipartisan bill that brings regulatory clarity
+ Ethereum supply on exchanges falls to new low as holders accumulate
+ Exchange resumes withdrawals after maintenance
+ Hacker returns stolen funds to lending protocol
+ Treasury company buys another 500 BTC
+ Analysts upbeat on Litecoin after breakout
+ Toncoin climbs to an all-time high
+ Selling pressure on Bitcoin fades
+ Fears of a ban ease in Korea
+ Tax relief for small crypto gains becomes law
+ Fund manager files for Solana ETF
- Bridge drained of 90 million USD in exploit
- Exchange halts withdrawals, cites liquidity problems
- Lender files for bankruptcy after run on deposits
- Bitcoin plunges below support as liquidations mount
- Regulator sues exchange over unregistered securities
- Police arrest founder of token project on fraud charges
- Country bans mining from next year
- Stablecoin loses its peg
- XRP tumbles 9% in an hour
- Whale dumps 12,000 ETH
- Bitcoin funds see outflows for a sixth week
- Network goes down for seven hours
- Exchange to delist privacy coins
- Wallet users lose savings to phishing campaign
- Hawkish Fed sends crypto lower
- Regulator rejects Bitcoin ETF application
- Watchdog fines broker for money laundering lapses
- Miner lays off a third of its staff
- Developers delay upgrade again after bug is found
- Cardano slides to a two-year low
- Lawmakers propose ban on self-custody wallets
- Validators warn of attack on the network
- Analysts bearish on Ethereum as demand dries up
- Exchange token collapses after audit finds hole
- Crackdown on crypto ads spreads through Europe
- Founder pleads guilty in Ponzi case
- Solana suffers another outage
- Central bank hikes rates by 75 basis points
- Large holder moves 8,000 BTC to exchange
- Token unlock weighs on Arbitrum
- Investors panic as death cross forms
- Rug pull leaves thousands of buyers with worthless tokens
0 Ethereum developers meet in Lisbon
0 What is a merkle tree?
0 Bitcoin trades sideways ahead of holiday
0 Five podcasts about blockchain
0 Interview: the artist behind the pixel cats
0 How a hardware wallet works
"""
ROWS = [line.split(" ", 1) for line in LABELLED.strip().splitlines()]
SIGN = {"+": 1, "-": -1, "0": 0}

# Rows of the recorded headlines, drawn at random after the list was written and labelled by hand
# before it was measured on them; the list was not changed to fit them.
HELD_OUT = """
18 + 23 0 28 + 77 + 137 + 247 + 248 + 255 + 330 0 461 0 488 + 492 0 501 + 510 - 523 - 558 + 567 +
572 0 606 + 611 0 721 + 764 0 777 0 810 0 851 0 872 0 887 0 897 - 915 - 922 + 924 + 1003 0 1055 0
1065 0 1074 - 1093 + 1096 + 1117 + 1130 + 1155 - 1242 + 1263 0 1318 + 1432 0 1451 + 1455 + 1495 -
1507 + 1580 0 1606 - 1615 + 1637 + 1674 0 1705 0 1708 + 1734 0 1757 + 1820 + 1822 0 1836 0 1855 0
1888 0 1974 + 2046 - 2064 - 2082 - 2121 + 2158 + 2214 0 2221 + 2239 - 2368 0 2410 0 2469 0 2546 0
2562 0 2570 0 2607 + 2671 + 2678 + 2727 - 2765 + 2766 + 2799 + 2802 - 2868 + 2928 + 3026 + 3029 -
3081 - 3082 + 3204 0 3212 + 3237 + 3249 + 3302 - 3402 + 3423 + 3483 - 3605 + 3630 + 3709 0 3712 0
3722 - 3729 + 3755 0 3764 0 3901 0 3946 + 4124 0 4194 0 4197 0 4215 0 4256 + 4279 0 4296 + 4359 -
4361 - 4419 + 4485 - 4529 + 4543 + 4569 0 4576 0 4579 - 4599 0 4659 + 4667 0 4688 + 4753 0
"""


def test_tone_has_the_sign_that_a_reader_gives():
    signed = [(SIGN[s], np.sign(tone(t)), t) for s, t in ROWS if s != "0"]
    assert len(signed) >= 60
    wrong = [t for expected, found, t in signed if found != expected]
    assert len(wrong) <= 0.15 * len(signed), wrong
    against = [t for expected, found, t in signed if found == -expected]
    assert len(against) <= 2, against


def test_tone_is_silent_on_what_says_nothing():
    told = [t for s, t in ROWS if s == "0" and tone(t) != 0]
    assert told == []


@pytest.mark.parametrize(
    ("plain", "denied"),
    [
        ("Exchange was hacked", "Exchange was not hacked"),
        ("Fraud at lender", "No fraud at lender, audit says"),
        ("Founder guilty", "Founder is not guilty"),
        ("Fund approved", "Fund never approved"),
        ("Analysts bullish on Solana", "Analysts aren't bullish on Solana"),
        ("Exchange admits hack", "Exchange denies hack"),
        ("Exploit drains bridge", "Patch averts exploit on bridge"),
        ("Regulator approves merger of exchanges", "Regulator blocks merger of exchanges"),
        ("Ban on mining", "Parliament lifts ban on mining"),
        ("Demand for Ethereum", "Demand for Ethereum fades"),
        ("Lawsuit against wallet maker", "Lawsuit against wallet maker dismissed"),
        ("Bitcoin outflows", "Bitcoin outflows slow"),
    ],
)
def test_negation_turns_the_sign(plain, denied):
    assert tone(plain) * tone(denied) < 0


def test_negation_reaches_three_words_and_not_beyond_a_comma():
    one = tone("hack")
    assert one < 0
    x = -3.5 * NEGATION
    assert tone("no hack") == pytest.approx(x / np.sqrt(x * x + 4))
    assert tone("no sign of hack") == tone("no hack")
    assert tone("no one at home knew hack") == one
    assert tone("no, hack") == one
    assert tone("no news after hack") == one


def test_sums_are_squeezed_into_the_unit_interval():
    assert tone("hack") == pytest.approx(-3.5 / np.sqrt(3.5**2 + 4))
    long = " ".join(["hack fraud insolvent"] * 20)
    assert -1 < tone(long) < -0.99


@pytest.mark.parametrize(
    ("plain", "unsure"),
    [
        ("Regulator approves fund", "Regulator may approve fund"),
        ("Regulator approves fund", "Regulator approves fund?"),
        ("Bridge hacked", "Bridge reportedly hacked"),
    ],
)
def test_doubt_halves(plain, unsure):
    certain, halved = tone(plain), tone(unsure)
    assert abs(halved) < abs(certain)
    assert certain * halved > 0
    x = certain * 2 / np.sqrt(1 - certain**2) / 2
    assert halved == pytest.approx(x / np.sqrt(x * x + 4))


def test_price_verbs_count_half():
    assert tone("Bitcoin surges") == pytest.approx(1.25 / np.sqrt(1.25**2 + 4))
    assert abs(tone("Bitcoin plunges")) < abs(tone("Bitcoin banned"))


@pytest.mark.parametrize(
    ("title", "impact"),
    [
        ("Exchange hacked", 1.0),
        ("Exchange halts withdrawals", 1.0),
        ("Regulator approves fund", 1.0),
        ("Lender insolvent", 1.0),
        ("Senate debates regulation", 0.6),
        ("Exchange lists token on main market", 0.6),
        ("Firm signs partnership", 0.6),
        ("Fed raises interest rates", 0.6),
        ("Senate may ban mining", 0.6),
        ("Bitcoin climbs to 40,000", 0.3),
        ("Analyst is bullish", 0.3),
        ("Opinion: the hack that changed everything", 0.3),
        ("Was the exchange hacked?", 0.3),
        ("Nothing of note", 0.3),
    ],
)
def test_impact_follows_the_kind_of_news(title, impact):
    assert read_title(title).impact == impact


def test_reading_names_the_words_that_spoke():
    reading = read_title("Hacker drains bridge, but funds are safe")
    assert reading.words == ("hacker", "drains", "safe")


@pytest.mark.parametrize(
    ("title", "publisher", "expected"),
    [
        ("Coin Rises - The Daily Coin", "The Daily Coin", "coin rises"),
        ("Coin Rises | the daily coin", "The Daily Coin", "coin rises"),
        ("Coin Rises (The Daily Coin)", "The Daily Coin", "coin rises"),
        ("Coin rises https://a.example/x?y=1 today", "", "coin rises today"),
        ("\uff23oin\u00a0rises   \u2018now\u2019", "", "coin rises 'now'"),
        ("All-time high", "", "all time high"),
    ],
)
def test_clean_leaves_the_words(title, publisher, expected):
    assert clean(title, publisher) == expected


def test_spelling_does_not_matter():
    assert tone("EXCHANGE HACKED") == tone("exchange hacked") == tone("Exchange \uff28acked") < 0
    assert tone("isn\u2019t hacked") == tone("isn't hacked") > 0


@pytest.mark.parametrize("title", ["", " ", "?!", "\u0000", "%s %d {x}", "a" * 100_000, "no " * 9])
def test_any_title_is_read(title):
    assert tone(title) == 0


def test_word_list_is_sound():
    lines = files("opportunity.detectors").joinpath("lexicon.csv").read_text("utf-8").splitlines()
    assert lines[0] == "role,tone,impact,terms"
    single: dict[str, float] = {}
    for line in lines[1:]:
        if line.startswith("#"):
            continue
        role, value, impact, terms = line.split(",", 3)
        assert role in {"event", "view", "price", "not", "turn", "maybe"}
        assert -4 <= float(value) <= 4
        assert float(impact or 0.3) in (0.3, 0.6, 1.0)
        assert terms == terms.lower()
        for term in terms.split(";"):
            slots = term.split()
            assert 1 <= len(slots) <= 4, term
            assert all(slot == "~" or all(slot.split("|")) for slot in slots), term
            if role in {"event", "view", "price"} and len(slots) == 1:
                for word in slots[0].split("|"):
                    assert single.setdefault(word, float(value)) * float(value) >= 0, word


def recorded(market_data):
    return pd.read_parquet(market_data / "news" / "crypto_news.parquet")["title"]


@pytest.mark.realdata
def test_recorded_headlines_have_a_tone_as_often_as_measured(market_data):
    tones = np.array([tone(t) for t in recorded(market_data).dropna()])
    assert (tones != 0).mean() == pytest.approx(0.65, abs=0.01)
    assert 1 < (tones > 0).sum() / (tones < 0).sum() < 2


@pytest.mark.realdata
def test_tone_agrees_with_labels_of_recorded_headlines(market_data):
    titles = recorded(market_data)
    words = HELD_OUT.split()
    rows, labels = words[::2], [SIGN[s] for s in words[1::2]]
    found = np.array([tone(titles[int(i)]) for i in rows])
    expected = np.array(labels)
    both = (found != 0) & (expected != 0)
    assert both.sum() == 59
    assert (np.sign(found) == expected)[both].sum() == 51  # VADER: 24 of 34
    assert np.corrcoef(found, expected)[0, 1] > 0.5  # VADER: 0.17
