"""Logins, renewals and ends in any order, against a model."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings as tried
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from logins import PASSWORD, Watch, accounts_at

from app.auth.refusals import LoginRefusedError


class Lives(RuleBasedStateMachine):
    """Logins, renewals and ends in any order, held against sets of what must be good."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Watch()
        self.runner = asyncio.Runner()
        self.runner.run(self.begin(Path(self.folder.name)))
        self.good, self.dead, self.cookies = [], [], []

    async def begin(self, folder):
        self.accounts = accounts_at(folder, self.clock)
        await self.accounts.people.add("anna", "trader", PASSWORD, "test")
        await self.accounts.people.add("root", "admin", PASSWORD, "test")

    @rule()
    def login(self):
        self.good.append(self.runner.run(self.accounts.login("anna", PASSWORD)))

    @rule()
    def session(self):
        self.cookies.append(self.runner.run(self.accounts.open_session("anna")))

    @precondition(lambda self: self.good)
    @rule(i=st.integers(0, 9))
    def renew(self, i):
        old = self.good.pop(i % len(self.good))
        self.good.append(self.runner.run(self.accounts.refresh(old.refresh)))
        self.dead.append((old.refresh, self.good[-1]))

    @precondition(lambda self: self.dead)
    @rule(i=st.integers(0, 9))
    def reuse(self, i):
        text, _ = self.dead.pop(i % len(self.dead))
        family = text.split("_")[1]
        with pytest.raises(LoginRefusedError):
            self.runner.run(self.accounts.refresh(text))
        self.good = [one for one in self.good if one.refresh.split("_")[1] != family]

    @precondition(lambda self: self.good)
    @rule(i=st.integers(0, 9))
    def logout(self, i):
        gone = self.good.pop(i % len(self.good))
        caller = self.accounts.verify_bearer(gone.access)
        assert self.runner.run(self.accounts.logout(caller))

    @precondition(lambda self: self.cookies)
    @rule(i=st.integers(0, 9))
    def leave(self, i):
        self.runner.run(self.accounts.end_session(self.cookies.pop(i % len(self.cookies))))

    @rule()
    def look(self):
        self.runner.run(self.accounts._book.read_again())

    @rule()
    def new_password(self):
        self.runner.run(self.accounts.people.change("anna", None, PASSWORD, "root"))
        self.good, self.cookies = [], []

    @invariant()
    def just_those_are_good(self):
        assert all(self.accounts.verify_bearer(one.access) for one in self.good)
        assert all(self.accounts.verify_session(one) for one in self.cookies)
        assert self.accounts.people.logins()["anna"] == len(self.good) + len(self.cookies)

    def teardown(self):
        self.runner.run(self.accounts.close())
        self.runner.close()
        self.accounts._store._engine.dispose()
        self.folder.cleanup()


TestLives = Lives.TestCase
TestLives.settings = tried(max_examples=15, stateful_step_count=15, deadline=None)
