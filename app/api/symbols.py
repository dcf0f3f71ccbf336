"""Symbols at the border: read in three spellings, answered in the client's own."""

from collections.abc import Collection, Iterable, Sized

from app.api.problems import ApiError, invalid, warming
from opportunity.contracts.agent import Rejected
from opportunity.market.symbols import parse_symbol


def read_symbols(texts: Iterable[str], field: str) -> dict[str, str]:
    """Return unified symbol -> first spelling; 422 naming the first that is malformed.

    Parameters
    ----------
    texts : iterable of str
        Symbols as the client spelt them; repetitions are merged.
    field : str
        Path of the field, for the problem.
    """
    found: dict[str, str] = {}
    for i, text in enumerate(texts):
        try:
            found.setdefault(parse_symbol(text), text)
        except ValueError as error:
            raise invalid(f"{field}.{i}", str(error)) from error
    return found


def read_symbol(text: str, field: str) -> str:
    """Return one unified symbol; 422 when it is malformed."""
    try:
        return parse_symbol(text)
    except ValueError as error:
        raise invalid(field, str(error)) from error


def watched(text: str, known: Collection[str], field: str = "symbol") -> str:
    """Return one unified symbol that is watched.

    422 when it is malformed, 404 for another; 503 while nobody knows what is watched.
    """
    symbol = read_symbol(text, field)
    if symbol not in known:
        raise no_symbol(symbol, known)
    return symbol


def sort_out(
    texts: Iterable[str],
    watched: Iterable[str] | None,
    room: int | None = None,
    have: Iterable[str] = (),
) -> tuple[dict[str, str], list[Rejected]]:
    """Part symbols into those that can be watched and those that cannot, with the reason.

    Parameters
    ----------
    texts : iterable of str
        Symbols as the client spelt them.
    watched : iterable of str
        Unified symbols that exist; None while nobody knows: then each may.
    room : int, optional
        How many symbols there may be at most, those in `have` included.
    have : iterable of str
        Unified symbols that are already taken; they need no more room.

    Returns
    -------
    tuple of dict and list
        Unified symbol -> first spelling, and the rejected ones.
    """
    names, taken = None if watched is None else set(watched), set(have)
    accepted: dict[str, str] = {}
    rejected: list[Rejected] = []
    for text in texts:
        symbol, reason = "", ""
        try:
            symbol = parse_symbol(text)
        except ValueError as error:
            reason = str(error)
        if symbol and names is not None and symbol not in names:
            reason = not_watched(symbol)
        elif symbol not in taken and room is not None and len(taken) >= room:
            reason = reason or f"at most {room} symbols are allowed"
        if reason:
            rejected.append(Rejected(symbol=text[:64], reason=reason))
        elif symbol not in accepted:
            taken.add(symbol)
            accepted[symbol] = text
    return accepted, rejected


def not_watched(symbol: str) -> str:
    """Say that a well-formed symbol is not watched."""
    return f"{symbol} is not watched; GET /api/agent/config lists the symbols"


def require_at_most(count: int, limit: int, field: str) -> None:
    """Refuse a list that is longer than the settings allow."""
    if count > limit:
        raise invalid(field, f"must be at most {limit} symbols, was {count}")


def no_symbol(symbol: str, watched: Sized) -> ApiError:
    """Return a 404 for a well-formed symbol that is not among the watched ones.

    While none is known, because an exchange was not asked yet, it is the 503 of the warm-up.
    """
    if not len(watched):
        return warming()
    return ApiError(404, "unknown_symbol", not_watched(symbol), "symbol")
