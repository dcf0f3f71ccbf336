"""One open Journal page: it follows the header's news, and leaves the hub when it is closed."""

from app.pages.journal_session import JournalSession


async def test_it_follows_the_agent_and_leaves(world, doc) -> None:
    session = JournalSession(world, doc, "dark")
    session.open()
    assert session.head.agent.enabled is True
    assert world.hub.n_subscribers == 1
    session.close()
    assert world.hub.n_subscribers == 0
