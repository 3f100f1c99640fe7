import numpy as np
import pytest
from PIL import Image

from deepdebug.case.dataset import read_dataset
from deepdebug.errors import ImageError, UsageError


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (2, 2), 7).save(path)


def test_folders_are_classes_and_paths_are_names(tmp_path):
    for name in ("cat/b.png", "cat/a.png", "dog/a.png"):
        image(tmp_path / name)
    (tmp_path / "parameters.csv").write_text("image,light\ndog/a.png,0.5\ncat/a.png,0.25\n")
    found = read_dataset(tmp_path)
    assert found.names == ("cat/a.png", "cat/b.png", "dog/a.png")
    assert found.classes == ("cat", "dog")
    assert found.expected.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(found.parameters["light"], [0.25, np.nan, 0.5])


def test_order_of_the_classes_may_be_given_and_a_class_may_have_no_images(tmp_path):
    image(tmp_path / "cat/a.png")
    (tmp_path / "eel").mkdir()
    found = read_dataset(tmp_path, ["dog", "cat", "eel"])
    assert found.classes == ("dog", "cat", "eel")
    assert found.expected.tolist() == [1]


def test_images_with_targets_are_a_regression(tmp_path):
    image(tmp_path / "a.png")
    image(tmp_path / "b.png")
    (tmp_path / "targets.csv").write_text("image,x,y\nb.png,3,4\na.png,1,2\n")
    found = read_dataset(tmp_path)
    assert found.classes == ()
    np.testing.assert_array_equal(found.expected, np.array([[1, 2], [3, 4]], "float32"))


def stored(path, **more):
    np.savez(path / "images.npz", images=np.zeros((3, 4, 4), "uint8"), **more)


def test_array_of_images_with_labels(tmp_path):
    stored(tmp_path, labels=np.array([1, 0, 2]))
    found = read_dataset(tmp_path)
    assert (found.classes, found.expected.tolist()) == (("0", "1", "2"), [1, 0, 2])
    assert found.names == ("000000", "000001", "000002")
    assert [source.row for source in found.sources] == [0, 1, 2]


def test_rows_of_an_array_are_called_as_the_table_says(tmp_path):
    stored(tmp_path, targets=np.ones((3, 2), "float32"))
    (tmp_path / "parameters.csv").write_text("image,light\nx,1\ny,2\nz,3\n")
    found = read_dataset(tmp_path)
    assert found.names == ("x", "y", "z")
    assert found.expected.shape == (3, 2)
    np.testing.assert_array_equal(found.parameters["light"], [1, 2, 3])


def bad(tmp_path, kind):
    match kind:
        case "targets":
            image(tmp_path / "a.png")
            image(tmp_path / "b.png")
            (tmp_path / "targets.csv").write_text("image,x\na.png,1\n")
        case "class":
            image(tmp_path / "owl/a.png")
        case "empty":
            (tmp_path / "cat").mkdir()
        case "two":
            stored(tmp_path, labels=np.zeros(3, int))
            np.savez(tmp_path / "more.npz", images=np.zeros((3, 4, 4)))
        case "count":
            stored(tmp_path, labels=np.zeros(2, int))
        case "label":
            stored(tmp_path, labels=np.array([0, 1, 5]))
        case "unlabelled":
            stored(tmp_path)
        case "float":
            stored(tmp_path, labels=np.zeros(3))
        case "broken":
            stored(tmp_path, labels=np.zeros(3, int))
            (tmp_path / "images.npz").write_bytes(b"PK\x03\x04nothing")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("targets", "lacks numbers for 1 images, such as 'b.png'"),
        ("class", "has folders for owl, which are no classes; expected some of cat, dog"),
        ("empty", "holds no image"),
        ("two", "holds 2 .npz files; expected one"),
        ("count", "holds 3 images and 2 labels"),
        ("label", "go from 0 to 5, but there are 2 classes"),
        ("unlabelled", "holds images; expected `labels`"),
        ("float", "has the shape .* and the type float64; expected whole numbers"),
        ("broken", "cannot be read"),
        ("nothing", "holds neither folders of images"),
    ],
)
def test_set_that_cannot_be_used_is_told(tmp_path, kind, message):
    bad(tmp_path, kind)
    with pytest.raises((UsageError, ImageError), match=message):
        read_dataset(tmp_path, ["cat", "dog"])


def test_missing_set_is_told(tmp_path):
    with pytest.raises(UsageError, match="There is no folder"):
        read_dataset(tmp_path / "none")


def test_rows_of_an_array_are_joined_by_name_in_any_order(tmp_path):
    np.savez(tmp_path / "set.npz", images=np.zeros((3, 4, 4), "uint8"), labels=np.array([0, 1, 0]))
    (tmp_path / "parameters.csv").write_text("image,light\n000002,2\n000000,0\n")
    found = read_dataset(tmp_path)
    np.testing.assert_array_equal(found.parameters["light"], [0, np.nan, 2])
    assert found.notes == ("1 of 3 images have no row in parameters.csv.",)


def test_names_of_values_come_from_the_header_of_the_targets(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "targets.csv").write_text("image,x,y\na.png,1,2\n")
    assert read_dataset(tmp_path).outputs == ("x", "y")
