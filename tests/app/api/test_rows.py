import pytest

from app.api.rows import breakdown, components_of, levels_of, scan_item
from opportunity.contracts import DETECTOR_NAMES


@pytest.fixture
async def evaluation(world):
    return world.services.evaluate(world.services.weights)


async def test_ranked_row_carries_every_column(evaluation):
    row = evaluation.row(int(evaluation.order[0]))
    item = scan_item(row)
    assert (item.rank, item.symbol, item.id) == (1, row.symbol, row.symbol.replace("/", ""))
    assert item.final_score == row.final_score == item.overall_score
    assert set(item.components) == {*DETECTOR_NAMES, "ict"}
    assert (item.ict, item.whales, item.success) == (None, None, None)
    assert item.success_note == "uncalibrated: these scores have no calibration yet"
    assert item.signal_count <= item.tf_count == len(item.timeframes)


async def test_breakdown_and_components_follow_the_explanation(evaluation):
    seen = evaluation.row(0).timeframe_breakdown["1h"]
    shown = breakdown(seen)
    assert shown.final_score == seen.final
    assert shown.bar_close == seen.closed
    assert [c.detector for c in components_of(seen)] == list(DETECTOR_NAMES)
    assert components_of(seen)[0].score is None


async def test_levels_exist_only_with_a_direction(evaluation):
    for i in range(len(evaluation.snapshot.symbols)):
        row = evaluation.row(i)
        assert (levels_of(row) is None) == (row.levels is None)
    assert levels_of(evaluation.row(5)) is None
