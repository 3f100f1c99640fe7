import errno
import pickle

import numpy as np
import pytest
from PIL import Image

from deepdebug.case.images import in_colour, read_image
from deepdebug.errors import ImageError

GRAY = np.arange(48, dtype="uint8").reshape(6, 8) * 5
RGB = np.stack([GRAY, GRAY[::-1], 255 - GRAY], axis=-1)


def saved(folder, image, name="x.png", **options):
    path = folder / name
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["x.png", "x.bmp", "x.tif", "x.pgm", "x.gif"])
def test_gray_image_comes_with_its_own_values(tmp_path, name):
    pixels = read_image(saved(tmp_path, Image.fromarray(GRAY), name), (6, 8), "gray")
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels[..., 0], GRAY)


def test_colours_stay_in_order(tmp_path):
    np.testing.assert_array_equal(read_image(saved(tmp_path, Image.fromarray(RGB)), (6, 8), "rgb"), RGB)


def test_colour_becomes_brightness(tmp_path):
    pixels = read_image(saved(tmp_path, Image.fromarray(RGB)), (6, 8), "gray")
    assert pixels.shape == (6, 8, 1)
    np.testing.assert_allclose(pixels[..., 0], RGB @ [0.299, 0.587, 0.114], atol=1)


def test_gray_becomes_three_equal_channels(tmp_path):
    pixels = read_image(saved(tmp_path, Image.fromarray(GRAY)), (6, 8), "rgb")
    np.testing.assert_array_equal(pixels, np.repeat(GRAY[..., None], 3, axis=2))


def test_image_is_resized_to_height_and_width(tmp_path):
    flat = Image.new("L", (40, 20), 77)
    pixels = read_image(saved(tmp_path, flat), (5, 9), "gray")
    assert pixels.shape == (5, 9, 1)
    assert (pixels == 77).all()


def test_shrinking_averages_instead_of_picking_pixels(tmp_path):
    stripes = np.tile(np.array([0, 255], "uint8"), (8, 16))
    pixels = read_image(saved(tmp_path, Image.fromarray(stripes)), (4, 4), "gray")
    assert np.abs(pixels - 127.5).max() < 20


def test_sixteen_bits_are_brought_to_the_range_of_eight(tmp_path):
    deep = GRAY.astype("uint16") * 257
    pixels = read_image(saved(tmp_path, Image.fromarray(deep)), (6, 8), "gray")
    np.testing.assert_allclose(pixels[..., 0], GRAY, rtol=1e-6)
    assert read_image(saved(tmp_path, Image.fromarray(deep), "x.tif"), (3, 4), "rgb").shape == (3, 4, 3)


def test_palette_gives_its_colours(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1])
    assert read_image(saved(tmp_path, image), (1, 2), "rgb").tolist() == [[[255, 0, 0], [0, 255, 0]]]


def test_palette_with_transparency_lies_over_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1])
    assert read_image(saved(tmp_path, image, transparency=0), (1, 2), "rgb").tolist() == [[[255] * 3, [0, 255, 0]]]


@pytest.mark.parametrize(("mode", "clear"), [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0))])
def test_transparency_lies_over_white(tmp_path, mode, clear):
    assert (read_image(saved(tmp_path, Image.new(mode, (2, 2), clear)), (2, 2), "gray") == 255).all()


@pytest.mark.parametrize("mode", ["1", "CMYK"])
def test_other_modes_are_read(tmp_path, mode):
    path = saved(tmp_path, Image.new("L", (3, 2), 255).convert(mode), "x.tif")
    assert (read_image(path, (2, 3), "gray") == 255).all()


def test_image_stands_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    path = saved(tmp_path, Image.fromarray(GRAY), exif=exif)
    np.testing.assert_array_equal(read_image(path, (8, 6), "gray")[..., 0], np.rot90(GRAY, -1))


def test_first_frame_is_taken(tmp_path):
    frames = [Image.new("L", (2, 2), value) for value in (10, 200)]
    path = saved(tmp_path, frames[0], "x.gif", save_all=True, append_images=frames[1:])
    assert (read_image(path, (2, 2), "gray") == 10).all()


def test_missing_file_is_told(tmp_path):
    with pytest.raises(ImageError, match=r"The image '.*x.png' cannot be read: No such file or directory. Expected a"):
        read_image(tmp_path / "x.png", (2, 2), "gray")


def test_file_that_is_no_image_is_told(tmp_path):
    (tmp_path / "x.png").write_bytes(b"hello")
    with pytest.raises(
        ImageError, match=r"none of the known formats. Expected a whole file .* PNG, JPEG.* or leave it out"
    ):
        read_image(tmp_path / "x.png", (2, 2), "gray")


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.bmp", "x.gif", "x.tif"])
def test_cut_off_file_is_told(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype("uint8")
    path = saved(tmp_path, Image.fromarray(noise), name)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ImageError, match=rf"The image '.*{name}' cannot be read"):
        read_image(path, (64, 64), "gray")


def test_every_damage_is_an_error_of_ours(tmp_path):
    random = np.random.default_rng(0)
    path = saved(tmp_path, Image.fromarray(RGB))
    whole = np.frombuffer(path.read_bytes(), "uint8")
    for _ in range(200):
        damaged = whole.copy()
        damaged[random.integers(8, len(whole), 4)] = random.integers(0, 255, 4)
        path.write_bytes(damaged.tobytes())
        try:
            assert read_image(path, (6, 8), "rgb").shape == (6, 8, 3)
        except ImageError:
            continue


def test_image_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.new("L", (20, 10)))
    for limit in (150, 20):  # Pillow warns of the one and refuses the other
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(ImageError, match=rf"more than {limit} pixels.* Make it smaller first"):
            read_image(path, (2, 2), "gray")


def test_range_of_32_bits_is_not_guessed(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.full((2, 2), 0.5, "float32")), "x.tif")
    with pytest.raises(ImageError, match="32 bits per pixel, whose range is not known"):
        read_image(path, (2, 2), "gray")


def test_format_that_another_program_draws_is_not_opened(tmp_path):
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n%%EndComments\n")
    with pytest.raises(ImageError, match="none of the known formats"):
        read_image(tmp_path / "x.png", (2, 2), "gray")


def test_pickle_is_not_opened(tmp_path):
    (tmp_path / "x.png").write_bytes(pickle.dumps(RGB))
    with pytest.raises(ImageError, match="none of the known formats"):
        read_image(tmp_path / "x.png", (2, 2), "gray")


def test_failing_disk_is_told(tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise OSError(errno.EIO, "Input/output error")

    path = saved(tmp_path, Image.fromarray(GRAY))
    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageError, match="cannot be read: Input/output error"):
        read_image(path, (6, 8), "gray")


def test_pixels_of_arrays_change_colour_too():
    pixels = RGB.astype("float32")
    assert in_colour(pixels, "rgb") is pixels
    np.testing.assert_allclose(in_colour(pixels, "gray")[..., 0], RGB @ [0.299, 0.587, 0.114], rtol=1e-5)
    assert in_colour(pixels[..., :1], "rgb").shape == (6, 8, 3)
