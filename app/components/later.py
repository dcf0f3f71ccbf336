"""Answers to presses that take time: awaited outside of the document's lock, told inside of it."""

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any, Final

from bokeh.document import Document, without_document_lock

from opportunity.errors import OpportunityError

Answered = Callable[[Any, Exception | None], None]
"""Called with what came of it, or with why it was refused."""

REFUSED: Final = (OpportunityError, ValueError, TypeError, KeyError, RuntimeError, OSError)
"""What is told to whoever pressed; anything else is a fault of the program."""


class Later:
    """Carries out what parts of a page ask for.

    Parameters
    ----------
    doc : Document, optional
        Of the page; without one nothing may take time.
    """

    def __init__(self, doc: Document | None = None) -> None:
        self._doc = doc

    def carry_out(self, work: Callable[[], Any], answered: Answered) -> None:
        """Do it; `answered` is called inside the document, once it is done or was refused."""
        try:
            found = work()
        except REFUSED as error:
            answered(None, error)
            return
        if not isawaitable(found):
            answered(found, None)
            return
        if self._doc is None:
            raise TypeError("a part that waits must belong to a document")
        wait: Any = partial(self._wait, self._doc, found, answered)
        self._doc.add_next_tick_callback(without_document_lock(wait))

    @staticmethod
    async def _wait(doc: Document, work: Awaitable[Any], answered: Answered) -> None:
        found, failure = None, None
        try:
            found = await work
        except REFUSED as error:
            failure = error
        session = doc.session_context
        if session is None or not session.destroyed:  # what was asked is done all the same
            doc.add_next_tick_callback(lambda: answered(found, failure))
