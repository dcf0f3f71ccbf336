"""What a client asked the stream for: as few commands as there can be, for commands are counted."""

from collections.abc import Mapping, Sequence
from typing import Any

from opportunity.contracts.realtime import SYMBOL_CHANNELS


def command(
    channels: Sequence[str], symbols: Sequence[str] = (), more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the command that asks for channels, of symbols, under filters."""
    found = {"action": "subscribe", "channels": list(channels), **(more or {})}
    return found | ({"symbols": list(symbols)} if symbols else {})


class Wanted:
    """All that was asked for so far; of filters the newest, as the server has it."""

    def __init__(self) -> None:
        self._whole: dict[str, None] = {}
        self._symbols: dict[str, dict[str, None]] = {}
        self._filters: dict[str, Any] = {}

    def add(
        self, channels: Sequence[str], symbols: Sequence[str], more: Mapping[str, Any]
    ) -> None:
        """Add channels, those that are subscribed symbol by symbol with their symbols."""
        self._filters |= more
        for channel in channels:
            if channel in SYMBOL_CHANNELS:
                self._symbols.setdefault(channel, {}).update(dict.fromkeys(symbols))
            else:
                self._whole[channel] = None

    def clear(self) -> None:
        """Forget all of it."""
        for kept in (self._whole, self._symbols, self._filters):
            kept.clear()

    def commands(self) -> list[dict[str, Any]]:
        """Return what asks for all of it: one command for whole channels, one for each other."""
        found = [command(list(self._whole))] if self._whole else []
        found += [command([c], list(symbols)) for c, symbols in self._symbols.items() if symbols]
        if found:
            found[0] |= self._filters
        return found
