from drawn import drawn

from app.components.island import dumps
from app.components.users_panel import UsersPanel, users_state
from opportunity.storage.account_rows import Account


def test_users_are_told_without_their_passwords() -> None:
    users = [Account("anna", "admin", "$argon2id$hash", 1, 1), Account("ben", "viewer", "", 2, 2)]
    state = users_state(users, {"anna": 2}, "anna", 9)
    assert "argon2" not in str(state)
    assert [(u["name"], u["role"], u["logins"], u["password"]) for u in state["users"]] == [
        ("anna", "admin", 2, True), ("ben", "viewer", 0, False)]
    assert state["me"] == "anna"


def test_a_role_is_changed_after_a_second_press_alone() -> None:
    user = {"name": "ben", "role": "viewer", "logins": 0, "password": True, "created": 1}
    state = dumps({"now": 1, "roles": ["viewer", "trader", "admin"], "me": "ann", "users": [user]})
    seen = drawn(UsersPanel, """
        const list = root.querySelector("tbody").querySelector("select"), seen = [];
        const dialog = root.querySelectorAll("dialog")
          .find((one) => one.getAttribute("aria-labelledby") === "sure-title");
        dialog.close = (word) => {
          dialog.returnValue = word;
          dialog.dispatchEvent(new Happening("close"));
        };
        type(list, "admin"); dialog.close("no"); await rest();
        seen.push(list.value, model.said.length);
        type(list, "trader"); dialog.close("yes"); await rest();
        seen.push(list.value, model.said.map(({ what, name, role }) => [what, name, role]));
        return seen;""", state=state)
    assert seen == ["viewer", 0, "trader", [["change_user", "ben", "trader"]]]
