import re

import panel as pn
import pytest
from bokeh.document import Document
from drawn import drawn
from jinja2 import Environment

from app.components.header import AgentToggle, ConnectionBadge, ThemeSwitch
from app.components.island import COMMON_JS, Island
from app.components.signal_table import SignalTable
from app.pages import PAGES
from app.pages.shell import HERE, asked, chosen_language, chosen_theme, shell

MACROS = Environment(autoescape=True).from_string(
    "{% macro embed(root) %}[{{ root }}]{% endmacro %}"
)


def test_facts_of_the_header_are_escaped() -> None:
    page = shell("live", "Live", {}, theme="dark", mark="<b>", mark_hint='"', universe="&")
    html = page.template.render(
        **page._render_variables, roots=_Roots(), macros=MACROS, plot_script=""
    )
    assert "<b></span>" not in html
    assert "&lt;b&gt;" in html
    assert 'data-theme="dark"' in html


def test_rail_names_all_pages_with_a_key_each() -> None:
    page = shell("risk", "Risk", {}, theme="dark")
    html = page.template.render(
        **page._render_variables, roots=_Roots(), macros=MACROS, plot_script=""
    )
    rail = html.partition('<nav class="rail"')[2].partition("</nav>")[0]
    keys = re.findall(r'href="([^"]+)" data-key="(\w)"', rail)
    assert [path for path, _ in keys] == [p.PATH.lstrip("/") or "./" for p in PAGES]
    assert len({key for _, key in keys}) == len(PAGES)
    assert rail.count("aria-current") == 1
    assert rail.count("<path d=") == len(PAGES)


def test_shell_in_another_language(monkeypatch) -> None:
    monkeypatch.setattr(type(pn.state), "cookies", {
        "opportunity-language": "ar", "opportunity-theme": "contrast",
    })
    assert chosen_theme() == "contrast"
    page = shell("risk", "Risk", {}, theme=chosen_theme(), mark="SIMULATED MARKET")
    html = page.template.render(
        **page._render_variables, roots=_Roots(), macros=MACROS, plot_script=""
    )
    assert '<html lang="ar" dir="rtl" data-theme="contrast"' in html
    assert "سوق محاكاة" in html
    assert "Paper only" not in html.partition("<body>")[2].partition("<script")[0]


def test_scripts_of_the_shell_end_no_script_of_the_page() -> None:
    page = shell("risk", "Risk", {}, theme="dark")
    assert "</script" not in page._render_variables["shell_js"]


class _Roots:
    def __getattr__(self, name: str) -> str:
        return name


def test_page_takes_stock_of_its_models_once() -> None:
    roots = {
        "badge": ConnectionBadge(), "agent": AgentToggle(), "theme": ThemeSwitch(),
        "table": SignalTable(),
    }
    doc = Document()
    shell("live", "Live", roots, theme="dark").server_doc(doc)
    assert {root.name for root in doc.roots} == set(roots)


@pytest.mark.parametrize("value", [b"2h", b"\xff", b""])
def test_unknown_argument_gives_the_default(value: bytes, monkeypatch) -> None:
    told = property(lambda self: {"timeframe": [value]})
    monkeypatch.setattr(type(pn.state), "session_args", told)
    assert asked("timeframe", ("1h", "4h"), "1h") == "1h"


@pytest.mark.parametrize(
    ("cookie", "asked_for", "language"),
    [
        ("fa", "ar", "fa"), ("", "de-DE,ar-EG;q=0.8,en;q=0.5", "ar"), ("xx", "EN-us", "en"),
        ("", "", "en"), ("<b>", "fa", "fa"),
    ],
)  # fmt: skip
def test_language_is_what_was_chosen_or_what_the_browser_asks_for(
    monkeypatch, cookie, asked_for, language
) -> None:
    seen = {"Accept-Language": asked_for}
    monkeypatch.setattr(type(pn.state), "cookies", {"opportunity-language": cookie})
    monkeypatch.setattr(type(pn.state), "headers", seen)
    assert chosen_language() == language


class Keys(Island):
    """The keyboard of a page, and somebody who does whatever it asks for."""

    _esm = f"""{COMMON_JS}
        {(HERE / "keys.js").read_text(encoding="utf-8")}
        export function render({{ model }}) {{
          document.addEventListener("opportunity:do", (event) => {{
            if (event.detail.what !== "known") model.said.push(event.detail.what);
            event.preventDefault();
          }});
          return h("input", {{ type: "text" }});
        }}"""


def test_keys_ask_for_what_the_sheet_says_and_leave_the_browser_its_own() -> None:
    done, kept = drawn(Keys, """
        const press = (key, more = {}, target = document.body) => {
          const event = new Happening("keydown", { key, code: "", target, ...more });
          document.dispatchEvent(event);
          return event.defaultPrevented;
        };
        const ctrl = { ctrlKey: true };
        const both = { ...ctrl, shiftKey: true };
        const kept = [press("S", both), press("A", both), press("x"), press("z", ctrl),
          press("1", { altKey: true }), press("b", {}, root)];
        const before = model.said.length;
        for (const key of ["s", "f"]) press(key, ctrl);
        press("s", ctrl, root);
        press("2"); press("?", { shiftKey: true }); press("Escape");
        press("\u0634", { code: "KeyB" });
        return [model.said, [before, ...kept]];""")
    assert kept == [0, *[False] * 6]
    assert done == ["scan_deep", "search", "scan_deep", "view", "help", "close", "direction"]
