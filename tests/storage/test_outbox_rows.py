from hypothesis import given
from hypothesis import strategies as st

from opportunity.storage.outbox_rows import Note, row_key, row_of


@given(st.text(max_size=300), st.text(min_size=1, max_size=40))
def test_keys_fit_and_stay_apart(key, channel):
    note = Note(key, "breaker", "t", "b")
    made = row_key(note, channel)
    assert len(made) <= 160
    assert made == row_key(note, channel)
    assert made != row_key(Note(key + "!", "breaker", "t", "b"), channel)


def test_texts_are_cut_and_cleaned():
    row = row_of(Note("k" * 400, "x" * 50, "t\x00\ud800" + "t" * 400, "b" * 9_000), "ops", 5)
    assert len(row["title"]) == 200
    assert row["title"].startswith("t\N{REPLACEMENT CHARACTER}?")
    assert len(row["body"]) == 4_000
    assert len(row["kind"]) == 24
    assert (row["status"], row["attempts"]) == ("waiting", 0)
    assert (row["created_at"], row["next_at"]) == (5, 5)
