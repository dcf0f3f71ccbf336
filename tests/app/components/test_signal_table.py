import re

import orjson
import pytest

from app.components.filters import Filters
from app.components.island import HERE
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
