"""Draws the pictures of docs/backtest.md with the program itself, from simulated bars.

    python -m tests.benchmarks.backtest_pictures
"""

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bokeh.embed import file_html
from bokeh.resources import INLINE
from PIL import Image
from playwright.sync_api import sync_playwright

import opportunity as op

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS = 128


async def _bars() -> Any:
    async with op.SimulatedFeed(symbols=["BTC/USDT"], seed=7) as feed:
        return await feed.history("BTC/USDT", "1h", 6_000, feed.clock.now())


def draw(picture: Any, name: str) -> Path:
    """Save a picture as a PNG of few colours."""
    path = PICTURES / f"{name}.png"
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "page.html"
        page_file.write_text(file_html(op.plots.rendered(picture), INLINE), encoding="utf-8")
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(viewport={"width": 920, "height": 300})
        page.goto(page_file.as_uri())
        page.wait_for_timeout(1_500)
        page.screenshot(path=path, full_page=True)
        chromium.close()
    Image.open(path).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    return path


def main() -> None:
    """Draw a whole run and a fortnight of it."""
    result = op.backtest(asyncio.run(_bars()), timeframes=["1h", "4h"])
    draw(result.plot(), "backtest")
    draw(result.plot(start="2024-11-01", end="2024-11-14", theme="dark"), "backtest_part")


if __name__ == "__main__":
    main()
