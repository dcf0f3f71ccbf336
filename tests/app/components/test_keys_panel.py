from app.components.keys_panel import keys_state
from opportunity.storage.account_rows import Key


def test_keys_are_told_without_their_secrets() -> None:
    keys = [Key("id1", "digest-of-it", "notebook", "trader", "anna", 1, 50, 3),
            Key("id2", "digest-two", "old", "viewer", "anna", 1, 9)]  # fmt: skip
    state = keys_state(keys, 10)
    assert "digest" not in str(state)
    first, second = state["keys"]
    assert (first["name"], first["role"], first["used"], first["ended"]) == (
        "notebook", "trader", 3, False)
    assert (second["ended"], second["used"]) == (True, None)
    assert state["roles"] == ["viewer", "trader", "admin"]
