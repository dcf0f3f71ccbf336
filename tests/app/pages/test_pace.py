import asyncio
from typing import Any

from bokeh.document import Document

from app.pages.pace import PICTURE_MS, SOON_MS, Pace
from opportunity.bus.memory import Hub


def _pace(doc: Document, seen: bool = True) -> tuple[Pace, list[Any]]:
    shown: list[Any] = []
    return Pace(doc, lambda news, events: shown.append((news, events)), lambda: seen), shown


def _waiting(doc: Document) -> list[int]:
    return [c.timeout for c in doc.session_callbacks]


async def test_batches_become_one_picture(doc, turn) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0)
    pace, shown = _pace(doc)
    pace.follow(hub)
    hub.publish("price", "BTC/USDT", 1)
    pace._receive({("price", "BTC/USDT"): 2, ("price", "ETH/USDT"): 3}, [])
    assert _waiting(doc) == [PICTURE_MS]
    await turn(doc)
    hub.publish("price", "BTC/USDT", 4)
    await turn(doc)
    assert shown[-1] == ({"price": {"BTC/USDT": 4}}, [])
    assert len(shown) == 2


async def test_an_event_does_not_wait_for_the_next_picture(doc) -> None:
    pace, _ = _pace(doc)
    pace._receive({("price", "BTC/USDT"): 1}, [])
    pace._receive({}, [("config", {"what": "agent"})])
    assert _waiting(doc) == [SOON_MS]
    pace._receive({("price", "BTC/USDT"): 2}, [])
    assert _waiting(doc) == [SOON_MS]


async def test_hidden_page_is_told_of_events_only(doc) -> None:
    pace, shown = _pace(doc, seen=False)
    pace._receive({("price", "BTC/USDT"): 1}, [])
    assert _waiting(doc) == []
    pace._receive({}, [("config", {})])
    pace.flush()
    assert shown == [({"price": {"BTC/USDT": 1}}, [("config", {})])]


async def test_closed_page_leaves_the_hub(doc) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0)
    pace, shown = _pace(doc)
    pace.follow(hub)
    pace.follow(hub)
    assert hub.n_subscribers == 1
    pace.close()
    assert hub.n_subscribers == 0
    pace._receive({("price", "BTC/USDT"): 1}, [("config", {})])
    pace.flush()
    pace.follow(hub)
    assert (shown, hub.n_subscribers, _waiting(doc)) == ([], 0, [])
