"""Downloads: what the server knows as files."""

import asyncio
from contextlib import suppress
from typing import Final

from tornado.iostream import StreamClosedError

from app.api.base import BaseHandler
from app.api.export_rows import table_of
from app.api.operations import operation
from app.api.problems import ApiError
from app.api.symbols import read_symbol
from app.auth.roles import Role
from app.table_files import file_of
from opportunity.backtest.export import MEDIA
from opportunity.contracts.exports import ExportPath, ExportQuery, What

FORMATS: Final = ("csv", "json", "parquet")
TYPES: Final = tuple(MEDIA[format].partition(";")[0] for format in FORMATS)
PIECE: Final = 1 << 18
"""Bytes that are sent at once."""

MOST_AT_ONCE: Final = 2
"""Downloads that are made at once; each holds its rows."""

NO_SYMBOL: Final[tuple[What, ...]] = ("equity",)
AGAIN_S: Final = 2


class ExportHandler(BaseHandler):
    """One table as a file."""

    @operation(Role.VIEWER, path=ExportPath, query=ExportQuery, media=TYPES)
    async def get(self, what: str) -> None:
        """Download signals, ranking, trades, fills, orders, equity, decisions or outcomes."""
        name, asked = self.places(ExportPath).what, self.query(ExportQuery)
        if name in NO_SYMBOL and asked.symbol is not None:
            raise ApiError(400, "contradiction", f"{name} has no symbol.", "symbol")
        symbol = None if asked.symbol is None else read_symbol(asked.symbol, "symbol")
        self._take_turn()
        try:
            table = await table_of(self.services, name, asked, symbol)
            data, media = await asyncio.to_thread(file_of, table, asked.format)
        finally:
            self._give_turn()
        file = f"{name}.{asked.format}"
        self.set_header("Content-Type", media)
        self.set_header("Content-Disposition", f'attachment; filename="{file}"')
        self.set_header("Content-Length", str(len(data)))
        self.set_header("X-Row-Count", str(len(table.rows)))
        self.set_header("X-Complete", "true" if table.complete else "false")
        with suppress(StreamClosedError):  # the client has left
            for first in range(0, len(data), PIECE):
                self.write(data[first : first + PIECE])
                await self.flush()
            self.finish()

    def _take_turn(self) -> None:
        under_way = self.application.settings.get("exports", 0)
        if under_way >= MOST_AT_ONCE:
            raise ApiError(
                503, "busy", "Other downloads are being made; ask again in a moment.",
                headers={"Retry-After": str(AGAIN_S)}, retry_after_s=AGAIN_S,
            )  # fmt: skip
        self.application.settings["exports"] = under_way + 1

    def _give_turn(self) -> None:
        self.application.settings["exports"] -= 1


routes = [("/api/export/{what}", ExportHandler)]
