from dataclasses import dataclass

from app.components.research_part import StudyResult, part_module, part_style, told_of
from app.components.sweep_result import SweepResult


@dataclass
class Plan:
    symbols = ("BTC/USDT", "ETH/USDT")
    timeframe = "1h"
    start, end = 1_763_812_800_000, 1_763_899_200_000


def test_parts_come_after_what_they_share() -> None:
    made = part_module("sweep_result")
    assert made.index("function h(") < made.index("function heat(") < made.index("function render(")
    assert part_style("sweep_result").index(".heat") < part_style("sweep_result").index(".best")


def test_vector_to_test_is_told() -> None:
    told = []
    made = SweepResult(on_test=told.append)
    made._handle_msg({"test": 3})
    made._handle_msg({"other": 3})
    SweepResult()._handle_msg({"test": 3})
    assert told == [3]
    assert isinstance(made, StudyResult)


def test_every_result_says_of_what_it_is() -> None:
    told = told_of("abc", Plan(), "simulated")
    assert (told["id"], told["title"], told["simulated"]) == ("abc", "BTC/USDT, ETH/USDT", True)
    assert told["about"] == "1h bars · 2025-11-22T12:00Z to 2025-11-23T12:00Z"
    assert told_of("abc", Plan(), "binance")["simulated"] is False
