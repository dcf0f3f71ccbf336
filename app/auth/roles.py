"""Roles, and the caller that a request turns out to come from."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

How = Literal["loopback", "bearer", "cookie", "ticket", "none", "edge"]


class Role(IntEnum):
    """What somebody may do; each role may do all that the one before may."""

    ANYBODY = 0
    """Without login: only whether the server lives, and how to log in."""
    VIEWER = 1
    """Reads everything but secrets."""
    TRADER = 2
    """Turns the agent, weights and limits, and trades on paper."""
    ADMIN = 3
    """Sees to users and tokens."""

    @property
    def label(self) -> str:
        """Its name as it travels, e.g. ``viewer``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from.

    Parameters
    ----------
    name : str
        User or token; in the audit of everything that is changed.
    role : Role
    how : str
        How it was shown: from this machine, by a bearer token, a cookie, or a one-time ticket.
    expires : int or None
        When it ends, wall time in ms UTC; None for never.
    token : str
        Id of the token or login that it hangs on; '' for none. Revoked, the caller is nobody.
    """

    name: str
    role: Role
    how: How
    expires: int | None = None
    token: str = ""


LOCAL = Caller("api", Role.TRADER, "loopback")
"""A program of this machine, where no login is asked for."""

NOBODY = Caller("", Role.ANYBODY, "none")
"""Somebody who has not logged in."""

EDGE = Caller("edge", Role.VIEWER, "edge")
"""Another process of this server that asks for itself, to pass the stream on."""
