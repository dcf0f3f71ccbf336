"""The base of components that ask: what is answered, and that no answer stays."""

import pytest
from bokeh.document import Document

from app.components.asking import Asking, asking_module, asking_style, words_of
from app.components.later import Later
from app.components.system_state import SystemState


class Part(SystemState):
    """One that remembers what it would have sent."""

    def __init__(self, *args, **params):
        super().__init__(*args, **params)
        self.sent = []

    def _send_msg(self, data):
        self.sent.append(data)


def test_an_answer_goes_back_under_its_number_and_into_no_state() -> None:
    part = Part(lambda asked: {"token": asked["what"]})
    part._handle_msg({"what": "secret", "n": 3})
    assert part.sent == [{"n": 3, "found": {"token": "secret"}, "error": ""}]
    assert "secret" not in str(part.param.values())


@pytest.mark.parametrize(
    ("error", "words"),
    [(ValueError("must be small"), "must be small"), (KeyError("no such key"), "no such key"),
     (RuntimeError(), "RuntimeError")],
)  # fmt: skip
def test_what_was_refused_is_told(error, words) -> None:
    def refuse(asked):
        raise error

    part = Part(refuse)
    part._handle_msg({"n": 1})
    assert part.sent == [{"n": 1, "found": None, "error": words}]
    assert words_of(error) == words


def test_who_asks_nobody_and_says_nonsense_gets_nothing() -> None:
    part = Part()
    part._handle_msg({"n": 1})
    asked = Part(lambda asked: 1)
    asked._handle_msg(["what"])
    assert part.sent == asked.sent == []


async def test_answers_may_take_time() -> None:
    doc = Document()

    async def answer(asked):
        return 7

    part = Part(answer, Later(doc))
    part._handle_msg({"n": 1})
    assert part.sent == []
    (wait,) = doc.session_callbacks
    await wait.callback()
    told = [one for one in doc.session_callbacks if one is not wait]
    told[0].callback()
    assert part.sent == [{"n": 1, "found": 7, "error": ""}]


def test_the_same_state_is_not_sent_again() -> None:
    part, seen = Part(), []
    part.param.watch(lambda event: seen.append(event.new), "state")
    for _ in range(2):
        part.draw({"a": 1})
    assert seen == ['{"a":1}']


def test_what_is_shared_stands_before_what_is_own() -> None:
    text = asking_module("system_state")
    order = [text.index(part) for part in ("function h(", "function asking(", "export function")]
    assert order == sorted(order)
    assert ".said" in asking_style("system_state")
    assert issubclass(SystemState, Asking)
