from scripted_venue import MINUTE, START, bar, opens

from opportunity.feeds.exchange.finality.forming import FormingBars

NOW = START + 30_000


def test_only_what_changed_is_given():
    forming = FormingBars()
    forming.put(1, START, bar(5.0))
    forming.put(0, START, bar(4.0))
    given = forming.take(NOW, MINUTE, [START, START])
    assert (given.time, given.rows.tolist(), given.times.tolist()) == (NOW, [0, 1], [START] * 2)
    assert given.values.tolist() == [list(bar(4.0)), list(bar(5.0))]
    assert forming.take(NOW, MINUTE, [START, START]) is None
    forming.put(1, START, bar(6.0, 7.0))
    assert forming.take(NOW, MINUTE, [START, START]).rows.tolist() == [1]


def test_an_older_telling_changes_nothing():
    forming = FormingBars()
    forming.put(0, opens(1), bar(5.0, volume=3.0))
    forming.put(0, START, bar(4.0, volume=9.0))
    forming.put(0, opens(1), bar(4.0, volume=2.0))
    given = forming.take(opens(1), MINUTE, [START])
    assert given.values.tolist() == [list(bar(5.0, 3.0))]


def test_closed_and_final_bars_are_left_out():
    forming = FormingBars()
    forming.put(0, START, bar(5.0))
    assert forming.take(opens(1), MINUTE, [START]) is None
    forming.put(0, START, bar(5.0))
    assert forming.take(NOW, MINUTE, [opens(1)]) is None


def test_a_dropped_row_is_forgotten():
    forming = FormingBars()
    forming.put(0, START, bar(5.0))
    forming.drop(0)
    assert forming.take(NOW, MINUTE, [START]) is None
