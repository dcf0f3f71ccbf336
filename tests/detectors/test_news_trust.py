import pytest

from opportunity.detectors.news_trust import TRUST, UNKNOWN, trust


@pytest.mark.parametrize(
    ("publisher", "weight"),
    [
        ("Reuters", 1.0),
        ("  the   WALL Street Journal ", 1.0),
        ("www.coindesk.com", 0.9),
        ("CoinTelegraph", 0.7),
        ("cointelegraph.com", 0.7),
        ("CryptoPotato", 0.6),
        ("u.today", 0.5),
        ("Somebody's Blog", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_trust_is_looked_up_by_any_spelling(publisher, weight):
    assert trust(publisher) == weight


def test_own_weights_win():
    assert trust("Reuters", {"Reuters": 0.0}) == 0.0
    assert trust("My desk", {"My desk": 1.0}) == 1.0
    assert trust("Other", {"My desk": 1.0}) == UNKNOWN


def test_table_stays_between_half_and_one_and_above_the_unknown():
    assert all(0.5 <= weight <= 1.0 for weight in TRUST.values())
    assert min(TRUST.values()) > UNKNOWN
    assert all(name == name.lower().strip() for name in TRUST)
