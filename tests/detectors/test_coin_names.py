from opportunity.detectors.coin_names import CODES, DELICATE, MARKET_WORDS, NAMES, NOT_CODES
from opportunity.feeds.simulation.titles import NAMES as SIMULATED


def test_table_knows_about_a_hundred_coins():
    assert 100 <= len(set(NAMES.values()) | {c.upper() for c in CODES}) <= 200


def test_names_are_in_small_letters_and_point_to_codes():
    for name, code in NAMES.items():
        assert name == name.lower().strip(), name
        assert 1 <= len(name.split()) <= 4, name
        assert code == code.upper()
    assert all(name[0].isupper() for name in DELICATE)


def test_words_that_are_codes_do_not_count_in_small_letters():
    for word in ("one", "gas", "near", "link", "sun", "sol", "dot", "ape", "sand", "flow", "mask"):
        assert not CODES.get(word, False), word
        assert word not in NAMES


def test_lists_do_not_contradict_each_other():
    assert not NOT_CODES & {c.upper() for c in CODES}
    assert not set(MARKET_WORDS) & set(NAMES)
    assert len(set(MARKET_WORDS)) == len(MARKET_WORDS)
    assert all(word == word.lower() for word in MARKET_WORDS)


def test_coins_of_the_simulated_market_are_found_by_name():
    found = {
        code
        for code, name in SIMULATED.items()
        if name.lower() in NAMES or name in DELICATE or name.lower() in CODES
    }
    assert set(SIMULATED) - found <= {"OP"}  # "optimism" is a mood first
