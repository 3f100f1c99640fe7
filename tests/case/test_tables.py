import numpy as np
import pytest

from deepdebug.case.tables import read_table
from deepdebug.errors import UsageError


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_come_in_the_order_of_the_names_with_nan_for_what_is_missing(tmp_path):
    found = read_table(table(tmp_path / "p.csv", "image,light,yaw\nb.png,0.1,\na.png,0.25,3\n"))
    columns = found.in_order_of(["a.png", "b.png", "c.png"])
    np.testing.assert_array_equal(columns["light"], [0.25, 0.1, np.nan])
    np.testing.assert_array_equal(columns["yaw"], [3.0, np.nan, np.nan])


def test_table_of_other_images_is_told(tmp_path):
    found = read_table(table(tmp_path / "p.csv", "image,light\nx.png,1\n"))
    with pytest.raises(UsageError, match=r"None of the 2 images stands in .* whose first row is for 'x.png'"):
        found.in_order_of(["a.png", "b.png"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no header"),
        ("image\na.png\n", "has no header"),
        ("image,light\na.png,bright\n", "`light` in line 2 .* is 'bright'; expected a number, or nothing"),
        ("image,light\na.png,1,2\n", "Line 2 of .* has 3 fields; expected 2"),
        ("image,light\n\na.png,bright\n", "in line 3 of"),
        ("image,light,light\na.png,1,2\n", "names a column twice"),
        ("image,light\na.png,1\na.png,2\n", "names the image 'a.png' twice"),
        ('image,light\n"a.png,1\n', "is no CSV file in UTF-8"),
    ],
)
def test_table_that_cannot_be_used_is_told(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        read_table(table(tmp_path / "p.csv", text))


def test_table_in_another_encoding_or_missing_is_told(tmp_path):
    (tmp_path / "p.csv").write_bytes("image,größe\n".encode("latin-1"))
    with pytest.raises(UsageError, match="is no CSV file in UTF-8"):
        read_table(tmp_path / "p.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path / "none.csv")


def test_words_become_columns_of_zeros_and_ones(tmp_path):
    path = tmp_path / "parameters.csv"
    path.write_text("image,camera,light,side\na,left,0.5,x\nb,right,,y\nc,,1,x\nd,top,2,\n")
    found = read_table(path, words=True).columns
    assert list(found) == ["camera=left", "camera=right", "camera=top", "light", "side=x"]
    np.testing.assert_array_equal(found["camera=left"], [1, 0, np.nan, 0])
    np.testing.assert_array_equal(found["side=x"], [1, 0, 1, np.nan])


def test_words_are_refused_where_numbers_are_needed(tmp_path):
    path = tmp_path / "targets.csv"
    path.write_text("image,remark\na,good\n")
    with pytest.raises(UsageError, match=r"`remark` in line 2 .* is 'good'; expected a number"):
        read_table(path)


def test_column_of_too_many_words_is_left_out_and_told(tmp_path):
    path = tmp_path / "parameters.csv"
    path.write_text("image,remark,light\n" + "".join(f"{number},word{number},1\n" for number in range(21)))
    found = read_table(path, words=True)
    assert list(found.columns) == ["light"]
    assert "'remark' of parameters.csv holds 21 different words, such as 'word0'" in found.left_out[0]


def test_words_that_give_a_name_twice_are_refused(tmp_path):
    path = tmp_path / "parameters.csv"
    path.write_text("image,a=b,a\n1,0,b\n2,1,c\n")
    with pytest.raises(UsageError, match="give the name 'a=b' twice"):
        read_table(path, words=True)


def test_single_wrong_field_among_numbers_is_named(tmp_path):
    path = tmp_path / "parameters.csv"
    path.write_text("image,light\na,1\nb,n.a.\nc,2\n")
    with pytest.raises(UsageError, match=r"`light` in line 3 .* is 'n.a.'; expected a number"):
        read_table(path, words=True)
