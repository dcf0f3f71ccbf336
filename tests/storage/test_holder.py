import os

import pytest

from opportunity.storage.holder import Holder, myself


def test_this_process_is_there() -> None:
    me = myself()
    assert me.pid == os.getpid()
    assert not me.gone()
    assert Holder.parse(str(me)) == me
    assert str(os.getpid()) in me.text


@pytest.mark.parametrize("text", ["", "somebody", "a/b/c/d", "a/1/c"])
def test_what_is_no_holder_is_none(text) -> None:
    assert Holder.parse(text) is None


def test_number_used_again_is_another_process() -> None:
    me = myself()
    if me.machine == "-":
        pytest.skip("nothing tells processes apart here")
    assert Holder(me.host, me.pid, "1", me.machine).gone()
