import asyncio

import pytest

from app.audit import Audit
from app.backups import MOST, Backups
from opportunity.config import load_settings
from opportunity.storage.backup import check_backup
from opportunity.storage.database import HEAD, open_database
from opportunity.storage.failures import DatabaseError
from opportunity.storage.repositories import Memory

NOW = 1_800_000_000_000


@pytest.fixture
def memory(tmp_path):
    settings = load_settings({"home": tmp_path}, {})
    memory = Memory(open_database(settings.database), lambda: NOW)
    yield memory
    memory.close()


def backups(memory: Memory, tmp_path) -> Backups:
    return Backups(
        load_settings({"home": tmp_path}, {}), Audit(memory.events, lambda: 5), lambda: NOW
    )


async def test_a_copy_is_whole_listed_and_audited(memory, tmp_path) -> None:
    kept = backups(memory, tmp_path)
    assert await kept.copies() == ()
    made = await kept.make("somebody")
    assert check_backup(made.path) == HEAD
    (copy,) = await kept.copies()
    assert (copy.name, copy.size, copy.automatic) == (made.path.name, made.size, False)
    (said,) = memory.events.read(("audit",))
    assert (said.body["what"], said.body["by"]) == ("backup", "somebody")
    assert said.body["after"]["file"] == made.path.name


async def test_two_in_one_second_have_names_of_their_own(memory, tmp_path) -> None:
    kept = backups(memory, tmp_path)
    await kept.make("one")
    await kept.make("two")
    assert len({copy.name for copy in await kept.copies()}) == 2


async def test_only_one_is_made_at_a_time(memory, tmp_path) -> None:
    kept = backups(memory, tmp_path)
    found = await asyncio.gather(kept.make("one"), kept.make("two"), return_exceptions=True)
    (refused,) = [one for one in found if isinstance(one, DatabaseError)]
    assert "under way" in str(refused)
    assert kept.making is False
    assert len(await kept.copies()) == 1


async def test_a_copy_that_is_gone_hides_no_other(memory, tmp_path) -> None:
    kept = backups(memory, tmp_path)
    made = await kept.make("somebody")
    (kept.folder / "backup-old.sqlite").symlink_to(tmp_path / "moved.sqlite")
    assert [copy.name for copy in await kept.copies()] == [made.path.name]


async def test_a_full_folder_takes_no_more(memory, tmp_path) -> None:
    kept = backups(memory, tmp_path)
    kept.folder.mkdir()
    for i in range(MOST):
        (kept.folder / f"backup-{i}.sqlite").touch()
    (kept.folder / ".backup-x.sqlite.part").touch()
    with pytest.raises(DatabaseError, match="fewer than 50"):
        await kept.make("somebody")
    assert len(await kept.copies()) == MOST
    assert memory.events.read() == ()
