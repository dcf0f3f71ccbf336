from typing import get_args

import pytest
from pydantic import ValidationError

from opportunity.contracts.notes import MOST_NOTES, NoteKindName, NotesQuery
from opportunity.market.notes import NoteKind
from opportunity.storage.bar_notes import MOST_READ


def test_kinds_are_those_of_the_market():
    assert set(get_args(NoteKindName)) == set(get_args(NoteKind))


def test_page_is_as_long_as_the_store_gives():
    assert MOST_NOTES == MOST_READ


def test_query_is_read_from_text_within_bounds():
    asked = NotesQuery.model_validate({"kind": "empty", "since": "5", "limit": "9"})
    assert (asked.kind, asked.since, asked.limit, asked.after) == ("empty", 5, 9, None)
    for query in ({"limit": str(MOST_NOTES + 1)}, {"kind": "odd"}, {"since": str(2**63)}):
        with pytest.raises(ValidationError):
            NotesQuery.model_validate(query)
