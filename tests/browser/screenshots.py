"""Pictures of every page in two themes: `python -m tests.browser.screenshots` (`make screenshots`).

A server of its own over the simulated market, a while after its start; the pictures of the docs are
written anew. What they show is made up, and says so in its header.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, expect, sync_playwright

from app.pages import PAGES

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "pictures" / "pages"
SIZE: Final = {"width": 1720, "height": 960}
THEMES: Final = ("dark", "light")
SLOW_MS: Final = 120_000
QUIET_MS: Final = 4_000
"""For what comes after the first picture: charts, second looks."""


def picture(browser: Browser, address: str, theme: str, page: object, to: Path) -> None:
    """Write one picture of one page."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    context.add_init_script("localStorage.setItem('opportunity-tour', 'seen')")
    context.add_cookies([{"name": "opportunity-theme", "value": theme, "url": address}])
    tab = context.new_page()
    tab.goto(address + page.PATH)  # type: ignore[attr-defined]  # one of PAGES
    expect(tab.locator("html")).to_have_attribute("data-line", "connected", timeout=SLOW_MS)
    tab.wait_for_function("() => !document.querySelector('[aria-busy=true]')", timeout=SLOW_MS)
    tab.wait_for_timeout(QUIET_MS)
    tab.screenshot(path=str(to), animations="disabled")
    context.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Write all pictures; return 0."""
    sys.path.insert(0, str(ROOT / "tests"))  # as pytest does
    from browsed import QUIET, Server

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the pictures")
    parser.add_argument("--address", default="", help="of a server that runs already")
    args = parser.parse_args(argv)
    args.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = None if args.address else Server(Path(home))
        if server is not None:
            server.start()
        address = args.address if server is None else server.address
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        try:
            for page in PAGES:
                for theme in THEMES:
                    to = args.to / f"{page.TITLE.lower()}-{theme}.png"
                    picture(browser, address, theme, page, to)
                    sys.stdout.write(f"{to}\n")
                    sys.stdout.flush()
        finally:
            browser.close()
            if server is not None:
                server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
