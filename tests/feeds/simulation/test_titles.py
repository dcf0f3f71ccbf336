from string import Formatter

from opportunity.feeds.simulation.titles import COIN, LEADER, MARKET, NAMES, PUBLISHERS, REPORT
from opportunity.feeds.simulation.universe import COINS


def test_every_coin_has_a_name():
    assert {s.partition("/")[0] for s in COINS} == set(NAMES)
    assert PUBLISHERS


def test_templates_use_known_fields_and_are_not_repeated():
    seen = []
    for table in (MARKET, LEADER, COIN, REPORT):
        for tone, titles in table.items():
            assert tone in (-1, 0, 1)
            seen += [(tone, t) for t in titles]
            for title in titles:
                fields = {name for _, name, _, _ in Formatter().parse(title) if name}
                assert fields <= {"name", "code", "move"}
    assert len({t for _, t in seen}) >= 40
