"""How many pictures of several people one call makes: as measured."""

import pytest

from generator.company import Room

KIND = ("starter", 128 * 128)


@pytest.fixture
def room(settings) -> Room:
    settings.TOGETHER_PICTURES = 16
    return Room()


def test_nothing_is_known_until_one_was_made_alone(room):
    assert room.pictures(KIND) == 0
    room.note(KIND, 1, 1.0)
    assert room.pictures(KIND) == 2


def test_it_grows_while_more_at_once_save_time(room):
    for pictures in (1, 2, 4, 8):
        room.note(KIND, pictures, 1.0 + 0.2 * pictures)
    assert room.pictures(KIND) == 16
    room.note(KIND, 16, 1.0 + 0.2 * 16)
    assert room.pictures(KIND) == 16  # no more than the settings allow


def test_it_goes_back_to_the_size_that_was_worth_it(room):
    room.note(KIND, 1, 1.0)
    room.note(KIND, 2, 1.4)
    room.note(KIND, 4, 2.9)
    assert room.pictures(KIND) == 4  # once more: the machine may have been busy
    room.note(KIND, 4, 2.8)
    assert room.pictures(KIND) == 2


def test_where_nothing_is_saved_each_is_made_alone(room):
    for _n in range(2):
        room.note(KIND, 1, 1.0)
        room.note(KIND, 2, 2.0)
    assert room.pictures(KIND) == 1


def test_what_did_not_fit_is_not_tried_again(room):
    room.note(KIND, 4, 1.0)
    room.does_not_fit(KIND, 8)
    assert room.pictures(KIND) == 4
