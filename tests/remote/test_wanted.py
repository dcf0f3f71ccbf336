"""What was asked for comes back in few commands, whatever the number of askings."""

from hypothesis import given
from hypothesis import strategies as st

from opportunity.remote.wanted import Wanted, command


def test_whole_channels_are_one_command_and_others_one_each():
    wanted = Wanted()
    for i in range(40):
        wanted.add(["signal"], [f"C{i}/USDT"], {})
    wanted.add(["trade", "alert"], [], {})
    wanted.add(["price"], ["C1/USDT"], {"timeframes": ["1h"]})
    wanted.add(["trade"], [], {"timeframes": ["4h"]})
    whole, signals, prices = wanted.commands()
    assert whole == command(["trade", "alert"], more={"timeframes": ["4h"]})
    assert signals == command(["signal"], [f"C{i}/USDT" for i in range(40)])
    assert prices == command(["price"], ["C1/USDT"])


def test_nothing_asked_for_is_no_command():
    wanted = Wanted()
    assert wanted.commands() == []
    wanted.add(["trade"], [], {"min_confidence": 0.5})
    wanted.clear()
    assert wanted.commands() == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["signal", "price", "trade", "config"]),
            st.lists(st.sampled_from(["A/B", "C/D", "E/F"]), min_size=1, unique=True),
        )
    )
)
def test_it_asks_for_the_union(asked):
    wanted, union = Wanted(), set()
    for channel, symbols in asked:
        of = symbols if channel in ("signal", "price") else []
        wanted.add([channel], of, {})
        union |= {(channel, s) for s in of or [""]}
    found = [
        (channel, symbol)
        for each in wanted.commands() for channel in each["channels"]
        for symbol in each.get("symbols", [""])
    ]  # fmt: skip
    assert len(found) == len(set(found))
    assert set(found) == union
    assert len(wanted.commands()) <= 3
