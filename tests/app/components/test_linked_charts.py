import orjson
from bokeh.plotting import figure

from app.components.linked_charts import LinkedCharts, packed


def test_packed_figures_are_plain_json() -> None:
    made = figure()
    made.line([1.0, float("nan")], [1.0, 2.0])
    told = orjson.loads(packed(made, "job"))
    assert told["id"] == "job"
    assert told["item"]["root_id"] == made.id


def test_nothing_is_drawn_at_first() -> None:
    assert LinkedCharts().item == ""
