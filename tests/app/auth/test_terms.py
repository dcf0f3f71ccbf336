from app.auth.terms import IDLE_MS, Granted, Terms
from opportunity.config import Settings
from opportunity.storage.accounts import Account

ACCESS, REFRESH, SESSION = 15 * 60_000, 30 * 86_400_000, 12 * 3_600_000


def test_times_are_as_stated_where_nobody_says_otherwise(tmp_path):
    for terms in (Terms(), Terms.of(Settings(home=tmp_path))):
        assert (terms.access_ms, terms.refresh_ms, terms.session_ms) == (ACCESS, REFRESH, SESSION)
        assert terms.idle_ms == IDLE_MS == 30 * 60_000


def test_settings_are_in_units_of_people(tmp_path):
    settings = Settings(home=tmp_path, access_minutes=2, refresh_days=3, session_hours=0.5)
    terms = Terms.of(settings)
    assert (terms.access_ms, terms.refresh_ms, terms.session_ms) == (
        120_000, 3 * 86_400_000, 1_800_000,
    )  # fmt: skip


def test_tokens_are_in_no_repr():
    granted = Granted("SECRET", "SECRET", 900, Account("anna", "admin", "SECRET", 1, 1))
    assert "SECRET" not in repr(granted)
