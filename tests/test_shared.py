import threading

import param
import pytest

from opportunity.errors import ThreadError
from opportunity.shared import Shared


class Knob(Shared):
    turn = param.Number(0.0)


def _in_thread(function) -> BaseException | None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except ThreadError as error:
            caught.append(error)

    thread = threading.Thread(target=run, name="elsewhere")
    thread.start()
    thread.join()
    return caught[0] if caught else None


def test_unbound_object_may_be_set_anywhere() -> None:
    knob = Knob()
    assert _in_thread(lambda: setattr(knob, "turn", 1.0)) is None
    assert knob.turn == 1.0


def test_foreign_thread_is_refused_by_name() -> None:
    knob = Knob()
    knob.bind_thread()
    error = _in_thread(lambda: setattr(knob, "turn", 1.0))
    assert error is not None
    assert "Knob.turn" in str(error)
    assert "elsewhere" in str(error)
    assert knob.turn == 0.0


def test_foreign_update_changes_nothing() -> None:
    knob = Knob()
    knob.bind_thread()
    assert _in_thread(lambda: knob.param.update(turn=2.0)) is not None
    assert knob.turn == 0.0


def test_owner_may_set() -> None:
    knob = Knob()
    knob.bind_thread()
    knob.turn = 3.0
    assert knob.turn == 3.0


def test_missing_values_are_param_errors() -> None:
    with pytest.raises(ValueError, match="turn"):
        Knob(turn="fast")


def test_misspelt_keyword_gets_a_near_name() -> None:
    with pytest.raises(TypeError, match=r"keyword of Knob must be a known name.*'turn'"):
        Knob(turm=1.0)


def test_repr_is_what_is_not_the_default() -> None:
    assert repr(Knob()) == "Knob()"
    assert str(Knob(turn=2.0)) == "Knob(turn=2.0)"
