import pytest
from portfolios import account_of
from risky import FakeMarket, FakePaper, risk_of

from app.pages.risk_looks import LOAD_S, Looks
from opportunity.errors import OpportunityError

HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}


@pytest.fixture
def made(world, doc, turn):
    """Looks of a page, what they showed, and a way to let it arrive."""
    world.paper = FakePaper(account_of(HELD))
    world.risk = risk_of(world.paper, FakeMarket())
    shown: list = []
    looks = Looks(world, doc, shown.append, lambda: True)

    async def arrive() -> None:
        for _ in range(200):
            await turn(doc)
            if not looks._loading:
                return
        raise AssertionError("nothing arrived")

    return looks, shown, arrive


async def test_a_look_is_of_one_account(made) -> None:
    looks, shown, arrive = made
    looks.open()
    await arrive()
    (look,) = shown
    assert look.view.state is look.tails.state
    assert look.alike is None
    looks.close()


async def test_news_that_come_fast_are_looked_at_once(made, world) -> None:
    looks, shown, arrive = made
    looks.load()
    await arrive()
    for _ in range(5):
        looks.load()
    await arrive()
    assert len(shown) == 1
    world.skip(LOAD_S + 0.1)
    looks.again()
    await arrive()
    assert len(shown) == 2


async def test_what_somebody_waits_for_is_looked_at_now(made) -> None:
    looks, shown, arrive = made
    looks.load()
    await arrive()
    looks.wanted.level, looks.wanted.days = 0.99, 10.0
    looks.load(soon=True)
    await arrive()
    assert shown[-1].tails.tails["parametric"].var > shown[0].tails.tails["parametric"].var


async def test_an_answer_to_an_older_question_is_not_shown(made) -> None:
    looks, shown, arrive = made
    looks.load()
    await arrive()
    looks.wanted.days = 10.0  # chosen while the answer to one day was on its way
    looks._loading = True
    looks._arrived(shown[0], True)
    assert len(shown) == 1
    await arrive()
    assert len(shown) == 2
    assert shown[1].tails.tails["parametric"].var > shown[0].tails.tails["parametric"].var


async def test_assets_that_are_watched_are_looked_at_too(made) -> None:
    looks, shown, arrive = made
    looks.wanted.watched = ("BTC/USDT", "SOL/USDT", "XRP/USDT")
    looks.load()
    await arrive()
    assert shown[0].alike.symbols == ("BTC/USDT", "SOL/USDT", "XRP/USDT")
    assert shown[0].alike.matrix.shape == (3, 3)


async def test_a_risk_that_cannot_be_worked_out_says_why(made, world) -> None:
    looks, shown, arrive = made

    async def fail(state):
        raise OpportunityError("agent must run to be asked, was stopped")

    world.risk.view = fail
    looks.load()
    await arrive()
    assert "was stopped" in shown[0].error
    assert shown[0].view is None


async def test_before_there_is_an_account_there_is_nothing_to_see(made, world) -> None:
    looks, shown, arrive = made
    world.paper.now = None
    looks.load()
    await arrive()
    assert (shown[0].view, shown[0].error) == (None, "")


async def test_a_page_that_has_gone_is_shown_nothing(made, doc, turn) -> None:
    looks, shown, _ = made
    looks.open()
    looks.close()
    for _ in range(5):
        await turn(doc)
    assert shown == []
    looks.open()
    looks.load()
    assert doc.session_callbacks == []


async def test_it_looks_now_and_then_unless_nobody_sees_it(world, doc) -> None:
    seen = True
    world.paper = FakePaper(account_of())
    world.risk = risk_of(world.paper, FakeMarket())
    looks = Looks(world, doc, lambda look: None, lambda: seen)
    looks._timer = doc.add_timeout_callback(looks._poll, 10_000)
    doc.remove_timeout_callback(looks._timer)
    looks._poll()
    assert looks._loading
    looks._loading, seen = False, False
    world.skip(60)
    doc.remove_timeout_callback(looks._timer)
    looks._poll()
    assert not looks._loading
    assert looks._timer is not None  # and asks again later
    looks.close()


async def test_it_may_be_closed_when_its_document_is_gone(world, doc) -> None:
    world.paper = FakePaper(account_of())
    world.risk = risk_of(world.paper, FakeMarket())
    looks = Looks(world, doc, lambda look: None, lambda: True)
    looks.open()
    doc.callbacks.destroy()  # as the server does before it tells
    looks.close()
