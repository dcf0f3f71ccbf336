"""How much room a series that grows at its end and is forgotten at its beginning should have."""

from typing import Final

FIRST_ROOM: Final = 16


def room_for(n_rows: int, size: int) -> int:
    """Return how large the array of a series should be when it has come to its end.

    Where at least an eighth would be free it stays as it is, and the rows move to its beginning:
    a series that forgets as much as it learns keeps the memory that it has, instead of giving it
    back and asking for new, which would make that of the process swing. One that grows gets a
    quarter more at a time, so little is in vain.

    Parameters
    ----------
    n_rows : int
        Rows to hold, those to come included.
    size : int
        Rows for which there is room now.
    """
    return size if 8 * n_rows <= 7 * size else n_rows + max(FIRST_ROOM, n_rows // 4)
