from opportunity.market.room import FIRST_ROOM, room_for


def test_a_series_that_forgets_as_much_as_it_learns_keeps_its_room():
    assert room_for(87, 100) == 100
    assert room_for(88, 100) == 110


def test_a_growing_one_gets_little_in_vain_but_never_too_little():
    assert room_for(1, 0) == 1 + FIRST_ROOM
    assert room_for(4_000, 4_000) == 5_000
