"""Fear & Greed as alternative.me answers it: https://api.alternative.me/fng/."""

from typing import Any, Final

from opportunity.market.observations import FearGreed
from opportunity.market.timeframe import EARLIEST_MS, LATEST_MS

SOURCE: Final = "alternative.me"


def parse_fear_greed(payload: dict[str, Any], arrived: int) -> FearGreed:
    """Return the newest value of an answer.

    Parameters
    ----------
    payload : dict
        ``{"data": [{"value": "40", "timestamp": "1551157200", ...}, ...], "metadata": {"error":
        null}}``, seconds and numbers as text or as numbers.
    arrived : int
        When the answer came, ms UTC: from then on the value was known here.

    Raises
    ------
    ValueError
        If the answer reports an error or is not of that form; the text names field and value.
    """
    if not isinstance(payload, dict):
        raise ValueError(f"payload must be an object, was {_short(payload)}")
    metadata = payload.get("metadata")
    if isinstance(metadata, dict) and metadata.get("error"):
        raise ValueError(f"metadata.error must be empty, was {_short(metadata['error'])}")
    data = payload.get("data")
    if not isinstance(data, list) or not data:
        raise ValueError(f"data must be a list of values, was {_short(data)}")
    event_time, value = max(_entry(entry) for entry in data)
    if arrived < event_time:
        raise ValueError(f"arrived must be >= the event ({event_time}), was {arrived}")
    return FearGreed(event_time, arrived, SOURCE, value)


def _entry(entry: Any) -> tuple[int, int]:
    if not isinstance(entry, dict):
        raise ValueError(f"data must hold objects, held {_short(entry)}")
    value = _whole("value", entry.get("value"))
    if not 0 <= value <= 100:
        raise ValueError(f"value must be >= 0 and <= 100, was {value}")
    time = _whole("timestamp", entry.get("timestamp")) * 1_000
    if not EARLIEST_MS <= time < LATEST_MS:
        raise ValueError(f"timestamp must be seconds between 2009 and 2100, was {time // 1_000}")
    return time, value


def _whole(field: str, value: Any) -> int:
    text = str(value).strip() if isinstance(value, str | int) else ""
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise ValueError(f"{field} must be a whole number, was {_short(value)}")
    return int(text)


def _short(value: object) -> str:
    return repr(value)[:60]
