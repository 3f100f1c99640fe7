import numpy as np
import pytest

from deepdebug.report.contact_sheet import MAX_ENTRIES, MAX_WIDTH, Entry, contact_sheet, tile, tile_side

BLUE = (0, 0, 200)


def entries(count, parts=2, name="seven.png", shape=(40, 40)):
    picture = np.empty((*shape, 3), "uint8")
    picture[:] = BLUE
    return [Entry((picture,) * parts, name, "output 7: 0.998")] * count


def drawn(sheet):
    """Return how much of the sheet the pictures take, in pixels."""
    return int((np.asarray(sheet) == BLUE).all(axis=2).sum())


@pytest.mark.parametrize("count", [1, 2, 7, 60, 200])
@pytest.mark.parametrize("parts", [2, 4])
def test_every_picture_is_whole_on_the_sheet(count, parts):
    assert drawn(contact_sheet(entries(count, parts), "model.keras", "parts", count)) == count * parts * 1600


def test_sheet_says_what_it_leaves_out():
    many = contact_sheet(entries(MAX_ENTRIES + 5), "model.keras", "parts", 999)
    all_of_them = contact_sheet(entries(MAX_ENTRIES), "model.keras", "parts", MAX_ENTRIES)
    assert drawn(many) == drawn(all_of_them)
    assert many.height > all_of_them.height  # by the line that says it


def test_sheet_of_many_images_is_no_strip():
    side = tile_side(MAX_ENTRIES)
    sheet = contact_sheet(entries(MAX_ENTRIES, 4, shape=(side, side)), "m", "parts", MAX_ENTRIES)
    assert sheet.width <= MAX_WIDTH + 100
    assert 0.5 < sheet.width / sheet.height < 2


@pytest.mark.parametrize("name", ["x" * 500, "\N{CJK UNIFIED IDEOGRAPH-4E03}\udcff\x1b[31m\n.png", ""])
def test_odd_names_stay_in_their_place(name):
    plain = contact_sheet(entries(3), "m", "parts", 3)
    odd = contact_sheet(entries(3, name=name), name, name, 3)
    assert odd.size == plain.size
    assert drawn(odd) == drawn(plain)


@pytest.mark.parametrize(("shape", "expected"), [((10, 20), (40, 80)), ((300, 150), (80, 40)), ((300, 1), (80, 1))])
def test_tile_keeps_the_proportions(shape, expected):
    assert tile(np.zeros((*shape, 3), "uint8"), 80).shape[:2] == expected


def test_tiles_are_smaller_where_there_are_many():
    assert tile_side(1) > tile_side(40) > tile_side(500)
