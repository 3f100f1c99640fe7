import csv
import io

import numpy as np
import pytest

from deepdebug.errors import UsageError
from deepdebug.retraining.assigning import Chosen
from deepdebug.retraining.labels import FiledLabels, OwnLabels, Part, add_rows, read_labels, write_to_label

NAMES = ("a/1.png", "b,2.png", "ü.png", "4.png")
CLASSES = ("left", "right")


def chosen(*images):
    count = len(images)
    return Chosen(np.array(images, int), np.arange(count), np.zeros(count, int), np.full(count, 0.1, "float32"))


def fill(path, **labels):
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    for row in rows:
        row["label"] = labels.get(row["image"], row["label"])
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def filed(path, names=NAMES):
    return FiledLabels(path, names, CLASSES, ())


def test_own_labels_and_those_of_a_part():
    own = OwnLabels(np.array([5, 6, 7, 8]))
    assert own.of(np.array([3, 0])).tolist() == [8, 5]
    assert Part(own, np.array([1, 3])).of(np.array([1])).tolist() == [8]


def test_what_a_person_fills_in_is_read_back(tmp_path):
    path = tmp_path / "to_label.csv"
    assert write_to_label(path, chosen(0, 1, 2), NAMES, ["label"]) == 0
    fill(path, **{"a/1.png": " right ", "b,2.png": "left", "ü.png": "right"})
    labels = filed(path).of(np.array([0, 1, 2]))
    assert labels.tolist() == [1, 0, 1]
    assert labels.dtype == np.int64


def test_values_of_a_regression(tmp_path):
    path = tmp_path / "to_label.csv"
    path.write_text("image,cluster,rank,distance,x,y\n4.png,1,0,0.5,1.5,-2\n")
    found = FiledLabels(path, NAMES, (), ("x", "y")).of(np.array([3]))
    assert found.tolist() == [[1.5, -2.0]]
    assert found.dtype == np.float32


def test_labels_outlive_another_choice(tmp_path):
    path = tmp_path / "to_label.csv"
    write_to_label(path, chosen(0, 1), NAMES, ["label"])
    fill(path, **{"a/1.png": "left"})
    assert write_to_label(path, chosen(1, 2), NAMES, ["label"]) == 0
    assert read_labels(path, ["label"]) == {"b,2.png": ("",), "ü.png": ("",), "a/1.png": ("left",)}
    assert write_to_label(path, chosen(0, 2), NAMES, ["label"]) == 1
    assert filed(path).of(np.array([0])).tolist() == [0]


def test_images_nobody_can_label_are_marked(tmp_path):
    path = tmp_path / "to_label.csv"
    write_to_label(path, chosen(0, 1), NAMES, ["label"])
    fill(path, **{"a/1.png": "-", "b,2.png": "left"})
    assert filed(path).marked().tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", r"no label for 1 of 2 images, such as a/1\.png"),
        ("up", r"labels 'a/1\.png' as 'up'; expected one of left, right"),
    ],
)
def test_missing_and_unknown_labels_name_the_image(tmp_path, label, message):
    path = tmp_path / "to_label.csv"
    write_to_label(path, chosen(0, 1), NAMES, ["label"])
    fill(path, **{"a/1.png": label, "b,2.png": "left"})
    with pytest.raises(UsageError, match=message):
        filed(path).of(np.array([0, 1]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,label\nx.png,left\n", r"names 1 images, such as 'x\.png', none of which is in the improvement set"),
        ("image,label\n4.png,left\n4.png,right\n", r"names '4\.png' twice"),
        ("image,class\n4.png,left\n", "have image, class; expected the columns image, label"),
        ("", "have no rows"),
        ("image,label\n4.png,left,or,right\n", "row 1 with 4 cells, more than the 2 columns of the header"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        filed(path)


def test_values_that_are_no_numbers(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("image,x,y\n4.png,1,nan\nü.png,1,left\n")
    labels = FiledLabels(path, NAMES, (), ("x", "y"))
    for row in (2, 3):
        with pytest.raises(UsageError, match="expected numbers"):
            labels.of(np.array([row]))


def test_spreadsheets_write_a_mark_in_front(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes("\ufeffimage,label\n4.png,left\n".encode())
    assert filed(path).of(np.array([3])).tolist() == [0]


def test_missing_table(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        filed(tmp_path / "none.csv")


def test_rows_of_images_that_left_the_set_do_no_harm(tmp_path):
    path = tmp_path / "to_label.csv"
    path.write_text("image,label\ngone.png,left\n4.png,right\n")
    assert filed(path).of(np.array([3])).tolist() == [1]
    write_to_label(path, chosen(3), NAMES, ["label"])
    assert filed(path).of(np.array([3])).tolist() == [1]


def test_image_that_left_the_set_may_have_a_class_that_left_it_too(tmp_path):
    path = tmp_path / "to_label.csv"
    path.write_text("image,label\ngone.png,a class of old\n4.png,right\n")
    assert filed(path).of(np.array([3])).tolist() == [1]


def test_columns_of_a_persons_own_are_carried_along(tmp_path):
    path = tmp_path / "to_label.csv"
    path.write_text("image,remark,label\n4.png,dark,right\nü.png,ask Ann,\ngone.png,,\n", encoding="utf-8")
    write_to_label(path, chosen(3, 0), NAMES, ["label"])
    assert path.read_text(encoding="utf-8") == (
        "image,cluster,rank,distance,label,remark\n4.png,1,0,0.1,right,dark\na/1.png,2,0,0.1,,\nü.png,,,,,ask Ann\n"
    )


def test_table_is_written_only_where_its_content_changes(tmp_path):
    path = tmp_path / "to_label.csv"
    write_to_label(path, chosen(3), NAMES, ["label"])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))  # as a spreadsheet saves it
    before = path.read_bytes()
    write_to_label(path, chosen(3), NAMES, ["label"])
    assert path.read_bytes() == before
    write_to_label(path, chosen(2), NAMES, ["label"])
    assert path.read_bytes() != before


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_spreadsheets_of_many_countries_write_other_delimiters(tmp_path, delimiter):
    path = tmp_path / "to_label.csv"
    write_to_label(path, chosen(3, 1), NAMES, ["label"])
    rows = list(csv.reader(io.StringIO(path.read_text(), newline="")))
    rows[1][-1] = "right"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    assert filed(path).of(np.array([3])).tolist() == [1]
    write_to_label(path, chosen(3), NAMES, ["label"])
    assert path.read_text() == delimiter.join(rows[0]) + "\n" + delimiter.join(rows[1]) + "\n"


def test_decimal_commas_are_read_where_semicolons_part_the_columns(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("image;x;y\n4.png;1,5;-2\n")
    assert FiledLabels(path, NAMES, (), ("x", "y")).of(np.array([3])).tolist() == [[1.5, -2.0]]
    path.write_text('image,x,y\n4.png,"1,5",-2\n')
    with pytest.raises(UsageError, match="expected numbers, with a point"):
        FiledLabels(path, NAMES, (), ("x", "y")).of(np.array([3]))


def test_rows_are_added_and_everything_else_stays(tmp_path):
    path = tmp_path / "to_label.csv"
    path.write_text("image;remark;label\n4.png;dark;right\ngone.png;;left\n", encoding="utf-8")
    assert add_rows(path, ["ü.png", "4.png"], ["label"]) == 1
    assert path.read_text(encoding="utf-8") == "image;remark;label\n4.png;dark;right\ngone.png;;left\nü.png;;\n"
    assert add_rows(path, ["ü.png"], ["label"]) == 0
