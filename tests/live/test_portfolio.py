from dataclasses import fields, replace

import pytest

from opportunity.errors import ThreadError
from opportunity.live.portfolio import OrderLine, Portfolio, PortfolioState, PositionLine

LINE = PositionLine(
    "BTC/USDT", 1, 2.0, 100.0, 110.0, 95.0, (105.0, 110.0), 1, 220.0, 20.0, 2.0, 1, 3, 0.7, 0.4, ""
)
STATE = PortfolioState(
    "paper", 1, 99, "simulated", 5, 1_000.0, 780.0, 1_000.0, 1_010.0, 0.01, 1.0, 0.001, 0.2, 220.0,
    0.2, 1.0, 2.0, 0.0, 4, 3, 0, (LINE,), (OrderLine(7, 9, "A", 1, "ENTRY", "placed", 1.0),), (),
    True, "", "ok",
)  # fmt: skip


def test_has_what_a_state_has() -> None:
    names = {f.name for f in fields(PortfolioState)}
    assert names <= set(Portfolio.param)
    assert all("read only" in Portfolio.param[name].doc for name in names)


def test_shows_all_of_a_state_at_once() -> None:
    shown, heard = Portfolio(), []
    shown.param.watch(lambda *events: heard.append(len(events)), ["equity", "cash", "positions"])
    shown.show(STATE)
    assert heard == [3]
    assert all(getattr(shown, f.name) == getattr(STATE, f.name) for f in fields(STATE))
    shown.show(replace(STATE, cash=1.0))
    assert len(heard) == 2
    assert shown.state.cash == 1.0


def test_frame_holds_positions_by_symbol() -> None:
    shown = Portfolio()
    assert shown.to_frame().empty
    shown.show(STATE)
    frame = shown.to_frame()
    assert frame.loc["BTC/USDT", "quantity"] == 2.0
    assert frame.index.name == "symbol"


def test_page_of_a_notebook_says_where_prices_come_from() -> None:
    shown = Portfolio()
    assert "not started" in shown._repr_html_()
    shown.show(replace(STATE, source="<b>"))
    text = shown._repr_html_()
    assert "&lt;b&gt;" in text
    assert "BTC/USDT" in text


def test_belongs_to_its_thread() -> None:
    shown = Portfolio()
    shown.bind_thread()
    import threading

    found = []

    def foreign() -> None:
        try:
            shown.cash = 5.0
        except ThreadError as error:
            found.append(error)

    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join()
    assert found
    with pytest.raises(ValueError, match="must be an instance of tuple"):
        shown.positions = [LINE]
