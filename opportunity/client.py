"""`connect`: an agent that runs elsewhere, in one line."""

import os

from opportunity.remote.agent import RemoteAgent

TOKEN = "OPPORTUNITY_TOKEN"


def connect(url: str = "http://127.0.0.1:8000", token: str | None = None) -> RemoteAgent:
    """Connect to a running agent and return it, with the interface of `Agent`.

    Parameters
    ----------
    url : str
        Of the server.
    token : str, optional
        API key or access token; default: the environment variable `OPPORTUNITY_TOKEN`. A server
        on this machine asks for none.

    Raises
    ------
    ValueError
        If `url` is no address of a server.
    RemoteError
        If nobody answers there, or the token is refused.

    Examples
    --------
    >>> with connect("http://127.0.0.1:8000") as remote:  # doctest: +SKIP
    ...     remote.enabled = False
    ...     remote.weights.update(smc=0.3)
    ...     remote.signals
    """
    return RemoteAgent(url, token if token is not None else os.environ.get(TOKEN))
