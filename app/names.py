"""Under which names what belongs to one market is kept."""

import hashlib

from opportunity.config import Settings


def time_key(feed_name: str) -> str:
    """Return the setting under which a feed's time is remembered."""
    return f"time of {feed_name}"


def symbols_key(settings: Settings) -> str:
    """Return the setting under which the watched symbols of an exchange are remembered."""
    return f"symbols of {state_name(settings)}"


def universe_key(settings: Settings) -> str:
    """Return the setting under which the choice of symbols is kept."""
    return f"universe of {state_name(settings)}"


def state_name(settings: Settings) -> str:
    """Name the market whose streams are kept: another seed or folder makes another one."""
    if settings.feed == "simulated":
        return f"simulated-{settings.seed}"
    if settings.feed == "exchange":
        local = hashlib.sha256(settings.exchange_url.encode()).hexdigest()[:12]
        return f"{settings.exchange or 'binance'}{'-' + local if settings.exchange_url else ''}"
    folder = str(settings.data and settings.data.resolve()).encode()
    return f"{settings.feed}-{hashlib.sha256(folder).hexdigest()[:12]}"
