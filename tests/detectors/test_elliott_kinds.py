from opportunity.detectors import elliott_kinds as kinds


def test_every_kind_has_a_row_in_every_table():
    tables = (
        kinds.FAMILY, kinds.N_KNOWN, kinds.LEANS, kinds.WORTH, kinds.STOP_AT, kinds.COMPLETE,
    )  # fmt: skip
    assert {len(t) for t in tables} == {len(kinds.KINDS)} == {kinds.EXPANDING + 1}


def test_labels_name_every_point_and_stops_are_among_them():
    for kind, known, stop in zip(kinds.KINDS, kinds.N_KNOWN, kinds.STOP_AT, strict=True):
        assert len(kind.labels) == known, kind.name
        assert stop < known, kind.name


def test_names_are_different_and_badges_short():
    assert len({k.name for k in kinds.KINDS}) == len(kinds.KINDS)
    assert all(len(k.badge) <= 20 for k in kinds.KINDS)


def test_complete_patterns_turn_price_except_a_leading_diagonal():
    for i, kind in enumerate(kinds.KINDS):
        turns = kinds.COMPLETE[i] and i != kinds.LEADING
        assert (kinds.LEANS[i] < 0) == turns, kind.name


def test_what_counts_say_is_what_was_decided():
    said = dict(zip((k.name for k in kinds.KINDS), kinds.WORTH, strict=True))
    assert said["wave 3"] == said["zigzag"] == 0.6
    assert (said["wave 4"], said["wave 5"], said["impulse"]) == (0.2, 0.5, 0.3)
    assert (said["ending diagonal"], said["wave B"], said["wave C"]) == (0.4, 0.2, 0.4)
    assert said["triangle"] == 0.5
