from pathlib import Path
from typing import get_args

from opportunity.market import notes
from opportunity.market.notes import BarNote, NoteKind


def test_a_note_is_a_value_that_can_be_kept_in_a_set():
    values = (1.0, 2.0, 0.5, 1.5, 10.0)
    same = [
        BarNote("corrected", "BTC/USDT", "1m", 60_000, 125_000, values, values, 5.0, 1)
        for _ in range(2)
    ]
    assert len(set(same)) == 1


def test_every_kind_is_explained():
    text = Path(notes.__file__).read_text(encoding="utf-8")
    assert all(f"`{kind}`:" in text for kind in get_args(NoteKind))
