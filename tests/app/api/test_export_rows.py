"""Pages are read until there are rows enough, and not one more than that."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from app.api.export_rows import TABLES, _pages
from opportunity.contracts.exports import WHATS, ExportQuery


@dataclass
class Row:
    number: int
    time: int


def test_every_name_has_a_table():
    assert tuple(TABLES) == WHATS


@given(
    st.lists(st.integers(0, 50), max_size=60), st.integers(1, 9), st.integers(1, 70),
    st.integers(0, 50), st.none() | st.integers(0, 60),
)  # fmt: skip
async def test_pages_give_the_newest_rows_that_are_asked_for(steps, most, limit, since, until):
    time, rows = 0, []
    for number, step in enumerate(steps):
        time += step % 3
        rows.append(Row(number, time))
    rows.reverse()
    asked = ExportQuery(limit=limit, since=since, until=until)
    reads = []

    async def read(n, after):
        left = [row for row in rows if after is None or row.number < after]
        reads.append(after)
        return left[:n], left[n - 1].number if len(left) > n else None

    found, complete = await _pages(read, most, asked, lambda row: row.time)
    wanted = [r for r in rows if r.time >= since and (until is None or r.time < until)]
    assert found == wanted[:limit]
    if complete:
        assert found == wanted
    assert len(reads) == len(set(reads)) <= len(rows) // most + 1


async def test_what_is_left_out_of_the_last_page_is_told():
    async def read(n, after):
        return [Row(i, i) for i in (3, 2, 1)], None

    for limit, complete in ((2, False), (3, True), (4, True)):
        found = await _pages(read, 9, ExportQuery(limit=limit), lambda row: row.time)
        assert (len(found[0]), found[1]) == (min(limit, 3), complete)
