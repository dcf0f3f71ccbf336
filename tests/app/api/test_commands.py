import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.commands import (
    MALFORMED,
    CommandError,
    id_of,
    label_of,
    read_channels,
    read_command,
    read_object,
    read_symbols,
    since_of,
)
from opportunity.contracts.realtime import COMMANDS, Ping, Resume


def verdict(said):
    """Return the type of the command that is said, or the error."""
    try:
        return type(read_command(read_object(said)))
    except CommandError as error:
        return error


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_whatever_is_said_is_a_command_or_an_error_with_a_code(said):
    found = verdict(said)
    codes = (*MALFORMED, "unknown_action")
    assert found in COMMANDS.values() or found.code in codes


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
NUMBER = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)
FIELDS = ("id", "ts", "symbols", "channels", "timeframes", "min_confidence", "epoch", "seq", "seqs")


@given(st.sampled_from(sorted(COMMANDS)), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_fields_of_any_kind_are_taken_or_named(action, fields):
    found = verdict(orjson.dumps({"action": action, **fields}).decode())
    if isinstance(found, CommandError):
        assert found.code == "invalid_message"
        assert str(found).split(".")[0].split(":")[0] in FIELDS


def test_command_is_read():
    command = read_command(read_object('{"action": "ping", "ts": 1.5, "id": "a"}'))
    assert command == Ping(action="ping", ts=1.5, id="a")
    with pytest.raises(CommandError, match="Did you mean 'ping'"):
        read_command({"action": "pign"})


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"idd": 1}, "idd: field must be a known name, was 'idd'. Did you mean 'id'?"),
     ({"symbols": "BTCUSDT"}, 'symbols: must be a valid list, was "BTCUSDT"'),
     ({"timeframes": []}, "timeframes: must have at least 1 item, was 0")],
)  # fmt: skip
def test_what_is_wrong_is_worded_as_over_rest(fields, words):
    with pytest.raises(CommandError) as caught:
        read_command({"action": "subscribe", **fields})
    assert str(caught.value) == words


def test_channels_come_once_each_and_symbols_in_any_spelling():
    assert read_channels(["price", "signal", "price"]) == ["price", "signal"]
    assert read_channels(None) == []
    with pytest.raises(CommandError, match="Did you mean 'trade'"):
        read_channels(["trades"])
    assert read_symbols(["btcusdt", "BTC/USDT", "??", "ETH-USDT"]) == {"BTC/USDT", "ETH/USDT"}


@pytest.mark.parametrize(
    ("fields", "joined", "since"),
    [({}, (), {"config": 0}), ({}, ("trade", "status"), {"config": 0, "trade": 0}),
     ({"seq": 4}, ("trade",), {"config": 4}), ({"last_seq": 4}, (), {"config": 4}),
     ({"seq": 5, "last_seq": 4}, (), {"config": 5}),
     ({"seqs": {"trade": 2}}, ("alert",), {"trade": 2}),
     ({"seq": 1, "seqs": {"config": 3, "alert": 0}}, (), {"config": 3, "alert": 0})],
)  # fmt: skip
def test_where_a_client_was(fields, joined, since):
    assert since_of(Resume(action="resume", **fields), joined) == since


def test_echoes_are_short():
    assert (label_of("x" * 99), label_of(5)) == ("x" * 64, None)
    assert [id_of(v) for v in ("y" * 99, 7, True, 1.5, None)] == ["y" * 64, 7, None, None, None]
