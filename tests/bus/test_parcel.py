"""Parcels: as bytes and back, and nothing else is taken for one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.bus.parcel import Parcel, pack_all, unpack, unpack_all

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PARCELS = st.builds(
    Parcel, TEXT, TEXT, st.integers(0, 2**53), TEXT, st.binary(max_size=200), st.booleans()
)


@given(PARCELS)
def test_unpack_gives_back_what_was_packed(parcel: Parcel) -> None:
    assert unpack(parcel.pack()) == parcel


@given(st.lists(PARCELS, max_size=6))
def test_unpack_all_gives_back_what_was_packed(parcels: list[Parcel]) -> None:
    assert unpack_all(pack_all(parcels)) == parcels


@given(st.lists(PARCELS, min_size=1, max_size=3), st.data())
def test_unpack_all_refuses_what_was_cut_off(parcels: list[Parcel], data: st.DataObject) -> None:
    packed = pack_all(parcels)
    whole = {len(pack_all(parcels[:n])) for n in range(len(parcels) + 1)}
    size = data.draw(st.integers(1, len(packed) - 1).filter(lambda n: n not in whole))
    with pytest.raises(ValueError, match="must"):
        unpack_all(packed[:size])


@given(st.binary(max_size=100))
def test_unpack_all_takes_garbage_as_an_error(data: bytes) -> None:
    with suppress(ValueError):
        assert pack_all(unpack_all(data))[:4] == data[:4]


@pytest.mark.parametrize("head", [
    b"", b"{}", b"[]", b"null", b'{"c":1,"k":"","s":1,"e":"","v":true}',
    b'{"c":"","k":"","s":"1","e":"","v":true}', b'{"c":"","k":"","s":1.5,"e":"","v":true}',
    b'{"c":"","k":"","s":true,"e":"","v":true}', b'{"c":"","k":"","s":1,"e":"","v":1}',
    b"cposix\nsystem\n(S'id'\ntR.", b"\x80\x04K\x01.",
])  # fmt: skip
def test_unpack_refuses_what_does_not_say_what_it_is(head: bytes) -> None:
    with pytest.raises(ValueError, match="must begin"):
        unpack(head + b"\nbody")


def test_place_is_of_channel_and_key() -> None:
    assert Parcel("price", "BTC/USDT", 1, "e", b"").place == "price|BTC/USDT"
