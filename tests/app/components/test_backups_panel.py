from app.backups import Copy
from app.components.backups_panel import OLD_MS, SHOWN, backups_state


def test_copies_are_listed_and_an_old_one_is_worth_a_word() -> None:
    copies = [Copy(f"backup-{i}.sqlite", 10, 1_000 - i, False) for i in range(SHOWN + 5)]
    state = backups_state(copies, "backups", False, 1_000 + OLD_MS)
    assert (len(state["copies"]), state["total"], state["old"]) == (SHOWN, SHOWN + 5, False)
    assert backups_state(copies, "backups", True, 1_001 + OLD_MS)["old"] is True
    assert backups_state([], "backups", False, 9)["old"] is False
