"""Which session is meant, and where new ones go."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from opportunity.errors import unknown
from opportunity.storage.session import SessionError, sessions_in

if TYPE_CHECKING:
    from opportunity.backtest.parity import Verification

LATEST: Final = "latest"


def sessions_folder(home: Path) -> Path:
    """Return where sessions are kept in the data folder."""
    return home / "sessions"


def new_session(home: Path, now: int) -> Path:
    """Return a folder for a session that starts at `now`, ms UTC; not made yet."""
    name = str(np.datetime64(now, "ms").astype("datetime64[s]")).translate({45: "", 58: ""}) + "Z"
    folder = sessions_folder(home)
    free = (folder / (f"{name}-{i}" if i else name) for i in range(1_000))
    return next(path for path in free if not path.exists())


def find_session(name: str, home: Path) -> Path:
    """Return the folder of a session.

    Parameters
    ----------
    name : str
        ``latest``, the name of one in the data folder, or a path.
    home : Path
        The data folder.

    Raises
    ------
    SessionError
        If there is none of that name.
    """
    known = sessions_in(sessions_folder(home))
    if name == LATEST:
        if not known:
            raise SessionError(
                f"{sessions_folder(home)} must hold a session, is empty: "
                "`opportunity serve --record` makes one"
            )
        return known[-1]
    for path in known:
        if path.name == name:
            return path
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    raise SessionError(unknown("session", name, [p.name for p in known] or [LATEST]))


def verify_session(name: str, home: Path) -> "Verification":
    """Run a session through the backtest and compare.

    Raises
    ------
    SessionError
        If there is none, or it cannot be read.
    """
    from opportunity.backtest.parity import verify  # the server does without its kernels

    return verify(find_session(name, home))
