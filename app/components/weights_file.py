"""Weights in a file, as the editor writes them and reads them back."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import unknown
from opportunity.scoring.weights import Weights

MOST_CHARS: Final = 65_536
MOST_NAME: Final = 40


def read_weights(text: str) -> tuple[str, dict[str, float]]:
    """Return the name and the nine weights of a file.

    Parameters
    ----------
    text : str
        JSON: ``{"name": ..., "weights": {detector: weight}}``, or the weights alone.

    Raises
    ------
    ValueError
        If it is too long or no JSON, a name is unknown or missing, or a weight is not finite and
        >= 0, or all are 0.
    """
    if len(text) > MOST_CHARS:
        raise ValueError(f"file must be at most {MOST_CHARS} characters, was {len(text)}")
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"file must be JSON, was not: {error}") from error
    name, held = "", found
    if isinstance(found, Mapping) and "weights" in found:
        name, held = str(found.get("name") or "")[:MOST_NAME], found["weights"]
    if not isinstance(held, Mapping):
        raise ValueError(f"weights must be given by name, were {type(held).__name__}")
    for one in held:
        if one not in DETECTOR_NAMES:
            raise ValueError(unknown("weight", one, DETECTOR_NAMES))
    missing = [one for one in DETECTOR_NAMES if one not in held]
    if missing:
        raise ValueError(f"weights must be all nine, missing: {', '.join(missing)}")
    weights = Weights(**dict(held))
    weights.normalized()  # raises where all are 0
    return name, weights.as_dict()
