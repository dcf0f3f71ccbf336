"""Presses whose answers take time."""

import asyncio
from typing import Any

import pytest
from bokeh.document import Document

from app.components.later import Later
from opportunity.errors import ConflictError


async def _run(doc: Document) -> None:
    while waiting := list(doc.session_callbacks):
        for callback in waiting:
            doc.callbacks.remove_session_callback(callback)
            done: Any = callback.callback()
            if asyncio.iscoroutine(done):
                await done


async def test_what_takes_time_is_answered_when_it_is_done() -> None:
    doc, told = Document(), []

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    Later(doc).carry_out(work, lambda *found: told.append(found))
    assert told == []
    await _run(doc)
    assert told == [("done", None)]


async def test_what_is_refused_is_told_now_or_later() -> None:
    doc, told = Document(), []
    error = ConflictError("version must be 3, was 2")

    def now() -> None:
        raise error

    async def late() -> None:
        raise error

    for work in (now, late):
        Later(doc).carry_out(work, lambda *found: told.append(found))
    assert told == [(None, error)]
    await _run(doc)
    assert told == [(None, error)] * 2


def test_without_a_document_only_what_is_done_at_once() -> None:
    told: list[object] = []
    Later().carry_out(lambda: 5, lambda *found: told.append(found))
    assert told == [(5, None)]

    async def work() -> None: ...

    waiting = work()
    with pytest.raises(TypeError, match="must belong to a document"):
        Later().carry_out(lambda: waiting, lambda *found: told.append(found))
    waiting.close()


async def test_a_page_that_is_gone_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    doc, told, done = Document(), [], []

    class Gone:
        destroyed = True

    async def work() -> None:
        done.append(True)

    Later(doc).carry_out(work, lambda *found: told.append(found))
    monkeypatch.setattr(Document, "session_context", Gone())
    await _run(doc)
    assert (done, told) == ([True], [])
