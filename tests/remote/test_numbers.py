"""Numbers: whatever the server does with order and repetition, each event is taken once."""

from hypothesis import given
from hypothesis import strategies as st

from opportunity.remote.numbers import Numbers, channel_of


def event(seq, channel="trade", epoch="a"):
    return {"type": channel, "seq": seq, "epoch": epoch}


def confirmed(**seqs):
    return {"type": "subscription_confirmed", "epoch": "a", "seqs": seqs}


def test_nothing_is_asked_for_before_anything_was_seen():
    assert Numbers().command is None


def test_numbering_begins_where_the_server_is():
    numbers = Numbers()
    numbers.subscribed(confirmed(trade=7, alert=2))
    assert numbers.command == {"action": "resume", "epoch": "a", "seqs": {"trade": 7, "alert": 2}}
    assert not numbers.takes(event(7))
    assert numbers.takes(event(8))
    assert numbers.holes == 0


def test_a_later_subscription_does_not_hide_what_was_missed():
    numbers = Numbers()
    numbers.subscribed(confirmed(trade=7))
    numbers.subscribed(confirmed(trade=9))
    assert numbers.command["seqs"] == {"trade": 7}


def test_events_before_the_answer_are_left_to_the_replay():
    numbers = Numbers()
    numbers.subscribed(confirmed(trade=1))
    numbers.resume()
    assert not numbers.takes(event(3))
    assert numbers.resumed({"epoch": "a", "complete": True, "replayed": 2, "seqs": {"trade": 3}})
    assert [numbers.takes(event(n)) for n in (2, 3, 3, 4)] == [True, True, False, True]
    assert numbers.holes == 0


def test_a_new_epoch_begins_anew():
    numbers = Numbers()
    numbers.subscribed(confirmed(trade=50))
    numbers.resume()
    assert not numbers.resumed({"epoch": "b", "complete": False, "replayed": 1, "seqs": {}})
    assert numbers.takes(event(1, epoch="b"))
    assert numbers.holes == 1


def test_numbers_that_a_server_never_gave_are_taken_when_it_gives_them():
    numbers = Numbers()
    numbers.subscribed(confirmed(trade=50))
    numbers.resume()
    assert not numbers.resumed({"epoch": "a", "complete": False, "replayed": 1,
                                "seqs": {"trade": 40, "alert": 9}})
    assert numbers.takes(event(41))


def test_a_gap_is_counted():
    numbers = Numbers()
    numbers.subscribed(confirmed(trade=1))
    assert numbers.takes(event(4))
    assert numbers.holes == 1


def test_states_always_count():
    numbers = Numbers()
    numbers.resume()
    assert numbers.takes({"type": "signal", "seq": 1, "epoch": "z"})
    assert channel_of({"type": "config_changed"}) == "config"


@given(st.data())
def test_cut_anywhere_every_event_is_taken_once_in_order(data):
    """A server that sends what is new, and on resume all that comes after the client's numbers."""
    numbers, taken, log = Numbers(), [], []
    numbers.subscribed(confirmed(trade=0))

    def send(seq):
        if numbers.takes(event(seq)):
            taken.append(seq)

    connected = True
    for step in data.draw(st.lists(st.sampled_from("ecr"), max_size=40)):
        if step == "e":
            log.append(len(log) + 1)
            if connected:
                send(log[-1])
        elif step == "c":
            connected = False
        elif not connected:
            connected = True
            numbers.resume()
            for _ in range(data.draw(st.integers(0, 2))):  # new ones before the answer
                log.append(len(log) + 1)
                send(log[-1])
            since = numbers.command["seqs"].get("trade", 0)
            missed = [n for n in log if n > since]
            numbers.resumed({"epoch": "a", "complete": True, "replayed": len(missed),
                             "seqs": {"trade": len(log)}})
            for seq in missed:
                send(seq)
    if connected:
        assert taken == log
    else:
        assert taken == log[: len(taken)]
    assert numbers.holes == 0
