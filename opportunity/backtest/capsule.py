"""All that a run depends on, hashed: two runs of equal capsules are equal byte for byte."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import ConflictError
from opportunity.kernels import VERSION
from opportunity.trading.setup import TradeSetup


@dataclass(frozen=True, slots=True)
class Capsule:
    """What a run was made of and what came out.

    Parameters
    ----------
    data : str
        SHA-256 of the bars and of what was known besides them.
    first_bars : dict of str to int
        First bar of each symbol, ms UTC: where every stream's state begins.
    code : str
        Hash of every kernel's source: `kernels.VERSION`.
    version : str
        Of this package.
    weights : dict of str to float, or None
        By detector; None for a run of a given signal.
    timeframe_weights : dict of str to float, or None
        None: the defaults.
    signal : str
        SHA-256 of the given signal, empty without one; another where rules take entries.
    timeframes : tuple of str
    decision_timeframe : str
    setup : dict
        `TradeSetup.as_dict()`.
    start, end : int or None
        What was asked for, ms UTC.
    extras : str
        SHA-256 of funding and finer bars, empty without any.
    seed : int
        Of whatever is drawn by chance around the run; the run itself draws nothing.
    result : str
        SHA-256 of equity, fills, trades and orders.
    """

    data: str
    first_bars: dict[str, int]
    code: str
    version: str
    weights: dict[str, float] | None
    timeframe_weights: dict[str, float] | None
    signal: str
    timeframes: tuple[str, ...]
    decision_timeframe: str
    setup: dict[str, Any]
    start: int | None
    end: int | None
    extras: str
    seed: int
    result: str

    @property
    def id(self) -> str:
        """Hash of everything that went in: equal ids give equal results; 16 digits."""
        body = asdict(self)
        del body["result"]
        return hashlib.sha256(_canonical(body)).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, with the id."""
        return {"id": self.id} | asdict(self) | {"timeframes": list(self.timeframes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Capsule":
        """Return the capsule of which `as_dict` told.

        Raises
        ------
        TypeError
            If a field is missing or unknown.
        """
        body = {name: value for name, value in values.items() if name != "id"}
        return cls(**body | {"timeframes": tuple(body["timeframes"])})

    def trade_setup(self) -> TradeSetup:
        """Return what was traded under."""
        return TradeSetup.from_dict(self.setup)

    def require(self, other: "Capsule") -> None:
        """Refuse another run that does not equal this one.

        Raises
        ------
        ConflictError
            If what went in or what came out differs; the text names what.
        """
        mine, theirs = asdict(self), asdict(other)
        different = [name for name in mine if mine[name] != theirs[name]]
        if different:
            raise ConflictError(
                f"runs must be equal, differed in {', '.join(different)}"
            )


def digest_of(*arrays: NDArray[Any]) -> str:
    """Hash arrays by type, shape and bytes; records by their fields, without padding."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str if array.dtype.names is None else ''}".encode())
        digest.update(str(array.shape).encode())
        if array.dtype.names is None:
            digest.update(np.ascontiguousarray(array).tobytes())
            continue
        for name in array.dtype.names:
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(array[name]).tobytes())
    return digest.hexdigest()


def code_version() -> str:
    """Return the hash of all kernels, under which runs can be compared."""
    return VERSION


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
