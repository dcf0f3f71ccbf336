import re

import orjson
import pytest
from drawn import drawn

from app.components.filters import Filters
from app.components.island import HERE, dumps
from app.components.rows import FIELDS
from app.components.signal_table import PARTS, SORTS, VIEWS, SignalTable


def _js(name: str) -> str:
    return (HERE / f"{name}.js").read_text(encoding="utf-8")


def test_rows_and_prices_travel_as_whole_states() -> None:
    table = SignalTable()
    table.draw({"rows": [[1, "BTC/USDT"]], "total": 1})
    table.quote({"BTC/USDT": 2.5})
    assert orjson.loads(table.rows)["total"] == 1
    assert orjson.loads(table.prices) == {"BTC/USDT": 2.5}


def test_the_browser_knows_the_same_fields_filters_sorts_and_views() -> None:
    rows = _js("table_rows")
    fields = re.search(r"const FIELDS = \[(.*?)\];", rows, re.DOTALL)
    assert fields is not None
    assert tuple(re.findall(r'"(\w+)"', fields[1])) == FIELDS
    plain = re.search(r"const NO_FILTER = \{(.*?)\};", rows)
    assert plain is not None
    assert tuple(re.findall(r"(\w+):", plain[1])) == Filters.__slots__
    sorts = re.search(r"const SORTS = \{(.*?)\n\};", rows, re.DOTALL)
    assert sorts is not None
    assert tuple(re.findall(r"(\w+): \(r\)", sorts[1])) == SORTS
    views = re.search(r"const VIEWS = \{(.*?)\};", _js("signal_table"))
    assert views is not None
    assert tuple(re.findall(r"(\w+): \[", views[1])) == VIEWS


def test_its_modules_are_one_and_name_nothing_twice() -> None:
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", SignalTable._esm, re.MULTILINE)
    twice = {name for name in names if names.count(name) > 1}
    assert twice == set()
    assert SignalTable._esm.count("export function render") == 1
    assert PARTS[-1] == "signal_table"


@pytest.mark.parametrize("wrong", [{"view": "map"}, {"sort": "luck"}])
def test_views_and_sorts_are_known_ones(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SignalTable(**wrong)


def _row(symbol: str, rank: int = 1) -> list[object]:
    known = {
        "rank": rank, "symbol": symbol, "price": 2.0, "change": 0.01, "score": 0.7, "direction": 1,
        "confidence": 0.5, "frames": [[1, 0.7, 0.5]], "badges": [], "stopped": "", "action": "BUY",
        "risk": "LOW", "consensus": 0.6, "volume": 12_345_678.0, "ranked": True, "success": None,
        "parts": [0.2] * 10, "trust": 1.0, "doubt": "",
    }  # fmt: skip
    return [known[name] for name in FIELDS]


def _rows(*symbols: str, total: int | None = None) -> str:
    rows = [_row(symbol, i) for i, symbol in enumerate(symbols, 1)]
    return dumps({
        "frames": ["1h"], "rows": rows, "total": len(rows) if total is None else total,
        "passed": 3, "time": 1, "source": "simulated", "parts": ["Trend"] * 10,
    })


def test_filters_that_the_server_applies_to_very_many_rows_are_not_a_missing_scan() -> None:
    seen = drawn(SignalTable, """
        const empty = root.querySelector(".empty");
        const seen = [empty.textContent, root.querySelector(".count").textContent];
        empty.querySelector("button").click();
        seen.push(model.filters);
        return seen;""", rows=_rows(total=700), filters=dumps({"q": "NONE"}))
    assert seen == [
        "No symbol matches.700 symbols are hidden by the filters.Show all",
        "0 shown · 3 of 700 pass", "{}",
    ]  # fmt: skip
    count = """return root.querySelector(".count").textContent;"""
    assert drawn(SignalTable, count, rows=_rows("A/USDT", "B/USDT", total=700)) == (
        "3 of 700 pass · first 2"
    )
    some = drawn(SignalTable, count, rows=_rows("A/USDT", total=700), filters=dumps({"q": "A"}))
    assert some == "1 shown · 3 of 700 pass"


def test_a_filter_changes_what_it_names_and_no_other() -> None:
    filters = drawn(SignalTable, """
        type(root.querySelector("[data-filter=conf]"), "0.4");
        return JSON.parse(model.filters);""", filters=dumps({"volume": 12_345_678.0}))
    assert filters == {"volume": 12_345_678.0, "conf": 0.4}


def test_escape_folds_the_filters_and_goes_back_to_their_button() -> None:
    seen = drawn(SignalTable, """
        ask("filters");
        const panel = root.querySelector("form.filters"), open = !panel.hidden;
        pressed(document.activeElement, "Escape");
        return [open, panel.hidden, document.activeElement.classList.contains("filtering")];""")
    assert seen == [True, True, True]


def test_focus_stays_on_its_symbol_while_prices_move_in_a_comparison() -> None:
    held = drawn(SignalTable, """
        const found = [];
        for (const name of ["[data-drop=B/USDT]", "[data-symbol=B/USDT]"]) {
          root.querySelector(".comparison").querySelector(name).focus();
          model.set({ prices: JSON.stringify({ "A/USDT": Math.random() }) });
          const { drop, symbol } = document.activeElement.dataset;
          found.push(drop ?? symbol ?? "lost");
        }
        return found;""",
        rows=_rows("A/USDT", "B/USDT"), view="compare", compared=dumps(["A/USDT", "B/USDT"]),
    )  # fmt: skip
    assert held == ["B/USDT", "B/USDT"]
