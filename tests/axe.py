"""Looks for what people with disabilities cannot use, by axe-core, which npm brings."""

import os
from typing import Any, Final

import pytest
from node_tools import FOLDER
from playwright.sync_api import Page

TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
GRAVE: Final = ("serious", "critical")

_RUN: Final = """async ([tags, rules]) => {
  const found = await axe.run(document, {
    runOnly: rules.length ? {type: "rule", values: rules} : {type: "tag", values: tags},
    resultTypes: ["violations"],
  });
  return found.violations.map(one => ({
    rule: one.id, impact: one.impact, help: one.help,
    where: one.nodes.slice(0, 5).map(
      node => `${node.target.flat(9).join(" >> ")}: ${node.html.slice(0, 140)}`),
  }));
}"""


def grave(page: Page, *rules: str) -> list[dict[str, Any]]:
    """Return what is serious or critical on a page, shadow roots included.

    Parameters
    ----------
    page : Page
    *rules : str
        Only these; without any all of WCAG 2.1 AA.
    """
    if not page.evaluate("'axe' in globalThis"):
        path = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
        if not path.exists() or path.stat().st_uid != os.getuid():
            if os.environ.get("CI") == "true":
                pytest.fail("axe-core is not installed; run tests/node_install.sh")
            pytest.skip("axe-core is not installed; run tests/node_install.sh")
        page.evaluate(f"(() => {{ {path.read_text(encoding='utf-8')} }})()")
    found = page.evaluate(_RUN, [list(TAGS), list(rules)])
    return [one for one in found if one["impact"] in GRAVE]
