import numpy as np
import pytest
from PIL import Image

from deepdebug.case.preprocessing import Preprocessing
from deepdebug.case.sources import Source, find_sources, natural_scale, read_batches, read_pixels
from deepdebug.errors import ImageError, UsageError

SMALL = Preprocessing((2, 2), "gray", 1.0, 0.0)


def image(path, value=7, size=(2, 2)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)
    return path


def array(path, values, **options):
    np.save(path, values, allow_pickle=False, **options)
    return path


def test_folder_is_searched_in_the_order_of_names(tmp_path):
    for name in ("b.png", "a.PNG", "sub/c.jpg", "sub/deep/d.tiff", ".hidden.png", ".git/e.png"):
        image(tmp_path / name if not name.endswith("PNG") else tmp_path / "a.png")
    (tmp_path / "notes.txt").touch()
    found = [str(one.path.relative_to(tmp_path)) for one in find_sources([tmp_path])]
    assert found == ["a.png", "b.png", "sub/c.jpg", "sub/deep/d.tiff"]


def test_results_among_the_images_are_left_out(tmp_path):
    image(tmp_path / "a.png")
    image(tmp_path / "out" / "pictures" / "a.png")
    assert len(find_sources([tmp_path], leave_out=tmp_path / "out")) == 1


def test_rows_of_an_array_are_images(tmp_path):
    path = array(tmp_path / "x.npy", np.zeros((3, 2, 2), "uint8"))
    found = find_sources([image(tmp_path / "a.png"), path])
    assert [one.name for one in found] == ["a", "x-00000", "x-00001", "x-00002"]
    assert [one.label for one in found][:2] == ["a.png", "x.npy, row 0"]


def test_only_array_of_images_in_an_npz_file_is_taken(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.ones((2, 2, 2)), y=np.arange(2))
    assert len(find_sources([tmp_path / "x.npz"])) == 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"a": np.ones((2, 2, 2)), "b": np.ones((2, 2, 2))},
            "holds 2 arrays of images among a, b; expected exactly one",
        ),
        ({"y": np.arange(2)}, "holds 0 arrays of images among y"),
    ],
)
def test_npz_file_that_leaves_a_doubt_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ImageError, match=message):
        find_sources([tmp_path / "x.npz"])


def test_folder_without_images_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"holds no image; expected files that end in .png"):
        find_sources([tmp_path])


def test_path_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"There is no file or folder '.*none'"):
        find_sources([tmp_path / "none"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.zeros((2, 2)),
            r"has the shape \(2, 2\) and the type float64; expected numbers of the shape \(rows, height",
        ),
        (np.zeros((0, 2, 2)), r"with one row or more"),
        (np.zeros((1, 2, 2), "complex64"), "the type complex64"),
    ],
)
def test_array_that_holds_no_images_is_told(tmp_path, values, message):
    with pytest.raises(ImageError, match=message):
        find_sources([array(tmp_path / "x.npy", values)])


def test_pickled_array_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}, {}]), allow_pickle=True)
    with pytest.raises(ImageError, match=r"The array file '.*x.npy' cannot be read: .* allow_pickle=False"):
        find_sources([tmp_path / "x.npy"])


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04K\x01."])
def test_file_that_is_no_array_is_told(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match="cannot be read"):
        find_sources([tmp_path / name])


def test_cut_off_array_is_told(tmp_path):
    path = array(tmp_path / "x.npy", np.zeros((3, 20, 20)))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ImageError, match="cannot be read"):
        find_sources([path])


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 1 / 255), ("int64", 1 / 255), ("float32", 1.0), ("bool", 1.0)])
def test_scale_follows_the_kind_of_numbers(tmp_path, dtype, scale):
    assert natural_scale(find_sources([array(tmp_path / "x.npy", np.zeros((1, 2, 2), dtype))])) == scale


def test_no_scale_fits_files_and_floating_point_arrays(tmp_path):
    sources = find_sources([array(tmp_path / "x.npy", np.zeros((1, 2, 2))), image(tmp_path / "a.png")])
    with pytest.raises(UsageError, match=r"no scale fits all of them. Pass --scale"):
        natural_scale(sources)


def test_images_come_in_batches(tmp_path):
    sources = [Source(image(tmp_path / f"{value}.png", value)) for value in range(5)]
    batches = list(read_batches(sources, SMALL, 1, 2, pytest.fail))
    assert [batch.numbers for batch in batches] == [(0, 1), (2, 3), (4,)]
    assert [batch.pixels[:, 0, 0, 0].tolist() for batch in batches] == [[0, 1], [2, 3], [4]]


def test_unreadable_images_may_be_left_out(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    sources = [Source(tmp_path / "bad.png"), Source(image(tmp_path / "a.png")), Source(tmp_path / "bad.png")]
    told = []
    batches = list(read_batches(sources, SMALL, 1, 2, lambda number, error: told.append((number, str(error)))))
    assert [batch.numbers for batch in batches] == [(1,)]
    assert [number for number, _ in told] == [0, 2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((1, 3, 2)), r"have the shape \(3, 2, 1\); expected 2x2 \(height x width\) with 1 or 3 channels"),
        (np.zeros((1, 2, 2, 5)), r"have the shape \(2, 2, 5\)"),
        (np.full((1, 2, 2), np.nan), "Row 0 in .* holds NaN or infinite values"),
    ],
)
def test_row_that_does_not_fit_is_told(tmp_path, values, message):
    (source,) = find_sources([array(tmp_path / "x.npy", values)])
    with pytest.raises(ImageError, match=message):
        read_pixels(source, SMALL, 1)


def test_array_with_many_channels_fits_a_model_that_takes_them(tmp_path):
    (source,) = find_sources([array(tmp_path / "x.npy", np.zeros((1, 2, 2, 5)))])
    many = Preprocessing((2, 2), None, 1.0, 0.0)
    assert read_pixels(source, many, 5).shape == (2, 2, 5)
    with pytest.raises(ImageError, match="have 5 channels, but the model takes 4"):
        read_pixels(source, many, 4)
    with pytest.raises(ImageError, match=r"has 1 or 3 channels, but the model takes 5. Pass the images as an .npy"):
        read_pixels(Source(image(tmp_path / "a.png")), many, 5)


def test_preprocessing_must_be_fitted_first(tmp_path):
    with pytest.raises(ValueError, match="call `fitted` first"):
        read_pixels(Source(image(tmp_path / "a.png")), Preprocessing(), 1)
