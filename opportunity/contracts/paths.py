"""Wire models of what stands in a path: names, symbols, numbers and ids of jobs."""

from typing import Annotated

from pydantic import Field

from opportunity.contracts.base import Query, SymbolText
from opportunity.contracts.weights import PresetName

JobId = Annotated[str, Field(min_length=1, max_length=64)]


class NamePath(Query):
    """Something that people named: a preset, a list, a challenger."""

    name: PresetName


class SymbolPath(Query):
    """A symbol in any of its spellings; a slash is written `-`, or `%2F`."""

    symbol: SymbolText


class NumberPath(Query):
    """Something that the server numbered."""

    id: int = Field(ge=0, lt=2**31)


class JobPath(Query):
    """A job, by the id that its start answered with."""

    id: JobId
