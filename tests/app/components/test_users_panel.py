from app.components.users_panel import users_state
from opportunity.storage.account_rows import Account


def test_users_are_told_without_their_passwords() -> None:
    users = [Account("anna", "admin", "$argon2id$hash", 1, 1), Account("ben", "viewer", "", 2, 2)]
    state = users_state(users, {"anna": 2}, "anna", 9)
    assert "argon2" not in str(state)
    assert [(u["name"], u["role"], u["logins"], u["password"]) for u in state["users"]] == [
        ("anna", "admin", 2, True), ("ben", "viewer", 0, False)]
    assert state["me"] == "anna"
