"""The command on a tiny model with random weights."""

import errno
import json
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from deepdebug.cli.main import app
from deepdebug.errors import UsageError
from deepdebug.lrp import COMPOSITES, Explainer

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (3, 8, 8)).astype("uint8")


def built(*body, shape=(8, 8, 1), **settings):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input(shape, **settings), *body, layers.Flatten(), layers.Dense(3, "softmax")])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.keras"
    built(layers.Conv2D(2, 3, activation="relu", name="conv"), layers.Conv2D(2, 1, name="inner")).save(path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with three images, a.png to c.png, in `images`."""
    monkeypatch.chdir(tmp_path)
    for name, pixels in zip("abc", PIXELS, strict=True):
        save(f"images/{name}.png", pixels)
    return tmp_path


def save(name, pixels=PIXELS[0]):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, format="PNG")
    return str(path)


@pytest.fixture
def lrp(runner, folder):
    """Return a function that runs the command and gives the result; results go to `out`."""

    def run(*arguments, out="out"):
        return runner.invoke(app, ["lrp", *map(str, arguments), "--out", out])

    return run


def done(result):
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(Path("out/index.json").read_text(encoding="utf-8"))


def refused(result):
    """Return the message of an error of ours; nothing half-written may be left."""
    assert isinstance(result.exception, UsageError), (result.output, result.exception)
    assert not leftovers()
    return str(result.exception)


def leftovers():
    return [str(path) for path in Path().rglob("*.tmp")]


def files(path="out"):
    return sorted(str(one.relative_to(path)) for one in Path(path).rglob("*") if one.is_file())


def test_everything_is_written(lrp, model):
    result = lrp(model, "images")
    index = done(result)
    pictures = ["pictures/a.png", "pictures/b.png", "pictures/c.png"]
    assert files() == ["conservation.csv", "contact-sheet.png", "index.json", *pictures, "relevance/input.npy"]
    assert index["complete"] is True
    assert [row["file"] for row in index["images"]] == ["images/a.png", "images/b.png", "images/c.png"]
    assert index["images"][0]["pictures"] == {"input": "pictures/a.png"}
    assert "Conservation: relevance by layer" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "3 images explained: 3 pictures, 1 array, contact-sheet.png, conservation.csv and index.json are in out."
    )
    assert result.stderr == ""  # no progress bar where nobody looks
    assert not leftovers()


def test_numbers_are_those_of_the_explainer(lrp, model):
    index = done(lrp(model, "images", "--batch-size", 2, "--layer", "inner", "--composite", "z-plus"))
    trained = keras.saving.load_model(model)
    x = PIXELS[..., None] / np.float32(255)
    expected = Explainer(trained, composite="z-plus")(x)
    for layer, name in (("input", "conv"), ("inner", "inner")):
        found = np.load(f"out/relevance/{layer}.npy", allow_pickle=False)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected[name], rtol=1e-3, atol=1e-5)
    probabilities = trained.predict(x, verbose=0)
    assert [row["predicted"] for row in index["images"]] == probabilities.argmax(axis=1).tolist()
    assert [row["output"] for row in index["images"]] == pytest.approx(probabilities.max(axis=1).tolist(), rel=1e-4)
    table = [line.split(",") for line in Path("out/conservation.csv").read_text().splitlines()[1:]]
    sums = {layer: (float(outputs), float(inputs)) for layer, outputs, inputs, _ in table}
    assert list(sums) == [one.layer for one in expected.conservation]
    for one in expected.conservation:
        assert sums[one.layer] == pytest.approx((one.outputs, one.inputs), rel=1e-3, abs=1e-5)


def test_inner_layers_get_arrays_and_where_they_can_be_drawn_pictures(lrp, model):
    result = lrp(model, "images/a.png", "--layer", "inner", "--layer", "dense*", "--layer", "inner")
    assert "`--layer` got 'dense*'; the model 'sequential" in refused(result)
    name = next(layer.name for layer in keras.saving.load_model(model).layers if layer.name.startswith("dense"))
    result = lrp(model, "images/a.png", "--layer", "inner", "--layer", name, "--layer", "inner")
    index = done(result)
    assert files("out/pictures") == ["a.png", "inner/a.png"]
    assert index["layers"]["inner"] == {"array": "relevance/inner.npy", "shape": [1, 6, 6, 2], "pictures": True}
    assert index["layers"][name]["pictures"] is False
    assert f"Not drawn, because its shape is not that of a picture (its array is there): {name}." in result.stdout


def test_same_run_writes_the_same(lrp, model):
    done(lrp(model, "images"))
    first = {name: Path("out", name).read_bytes() for name in files()}
    done(lrp(model, "images", "--overwrite"))
    assert {name: Path("out", name).read_bytes() for name in files()} == first


def test_odd_names_stay_in_the_folder(lrp, model):
    names = [
        "one/x y.png",
        "two/x y.png",
        "...png",
        "..  .png",
        "\N{CJK UNIFIED IDEOGRAPH-4E03}.png",
        "-rf.png",
        "con.png",
    ]
    given = [save(f"in/{name}") for name in names]
    before = set(files("."))
    index = done(lrp(model, *given))
    new = set(files(".")) - before
    assert all(name.startswith("out/") for name in new)
    pictures = [row["pictures"]["input"] for row in index["images"]]
    assert len(set(pictures)) == len(names)
    assert pictures[:2] == ["pictures/x_y.png", "pictures/x_y-2.png"]
    assert all(Path("out", one).is_file() for one in pictures)


def test_name_that_is_no_text_is_escaped(lrp, model):
    given = save(os.fsdecode(b"in/\xff7.png"))
    assert done(lrp(model, given))["images"][0]["file"] == "in/\\xff7.png"


def test_layer_names_cannot_leave_the_folder(lrp):
    inputs = keras.Input((8, 8, 1))
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="down")], name="up")
    keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inner(inputs)))).save("n.keras")
    index = done(lrp("n.keras", "images/a.png", "--layer", "up/down"))
    assert index["layers"]["up/down"]["array"] == "relevance/up_down.npy"
    assert "pictures/up_down/a.png" in files()


def test_array_is_explained_row_by_row(lrp, model):
    np.save("x.npy", PIXELS)
    np.save("scaled.npy", PIXELS / np.float32(255))
    index = done(lrp(model, "x.npy"))
    assert [row["row_in_file"] for row in index["images"]] == [0, 1, 2]
    assert "pictures/x-00002.png" in files()
    first = np.load("out/relevance/input.npy")
    assert done(lrp(model, "scaled.npy", "--overwrite"))["preprocessing"]["scale"] == 1.0
    np.testing.assert_allclose(np.load("out/relevance/input.npy"), first, rtol=1e-3, atol=1e-6)


def test_case_file_is_used_and_flags_win(lrp, model):
    Path("case.toml").write_text("[preprocessing]\nscale = 2.0\noffset = 0.5\n", encoding="utf-8")
    used = done(lrp(model, "images", "--case", "case.toml", "--scale", "1/4"))["preprocessing"]
    assert used == {"size": [8, 8], "colour": "gray", "scale": 0.25, "offset": 0.5}


def test_model_that_rescales_by_itself_gets_the_values_as_they_are(lrp):
    built(layers.Rescaling(1 / 255, name="scale"), layers.Conv2D(2, 3)).save("n.keras")
    result = lrp("n.keras", "images")
    assert done(result)["preprocessing"]["scale"] == 1.0
    assert "The model rescales by itself in layer 'scale'" in result.stdout
    assert "Per image" in result.stdout


def test_model_without_a_channel_axis_is_explained(lrp):
    built(shape=(8, 8)).save("n.keras")
    assert done(lrp("n.keras", "images"))["layers"]["input"]["shape"] == [3, 8, 8]
    assert "pictures/a.png" in files()


def test_colour_model_reads_gray_images(lrp):
    built(layers.Conv2D(2, 3), shape=(4, 6, 3)).save("n.keras")
    assert done(lrp("n.keras", "images"))["layers"]["input"]["shape"] == [3, 4, 6, 3]


def test_chosen_output_is_explained(lrp, model):
    index = done(lrp(model, "images", "--target", "2"))
    assert [row["explained"] for row in index["images"]] == [2, 2, 2]
    assert index["target"] == 2
    assert done(lrp(model, "images", "--target", "largest", "--overwrite"))["target"] == "largest"


def test_negative_scores_are_pointed_out(lrp):
    model = built()
    model.layers[-1].bias.assign([-90.0, -90.0, -90.0])
    model.save("n.keras")
    assert "The explained score of 3 images is negative." in lrp("n.keras", "images").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "best"], "`--target` got 'best'; expected predicted, largest, or the index of an output"),
        (["--target", "-1"], "`--target` got '-1'"),
        (["--target", "3"], "`target` got the index 3; the model has 3 outputs"),
        (["--composite", "other"], "`composite` got 'other'; expected one of hudd, z-plus"),
        (["--layer", "other"], "`--layer` got 'other'; the model 'sequential"),
        (["--size", "9x9"], "The images would have the size 9x9, but the model takes 8x8"),
        (["--colour", "rgb"], "The colour 'rgb' gives 3 channels, but the model takes 1"),
        (["--scale", "big"], "`--scale` is 'big'"),
        (["--case", "none.toml"], "The case file 'none.toml' cannot be read"),
    ],
)
def test_wrong_option_is_told_and_nothing_is_written(lrp, model, options, message):
    assert message in refused(lrp(model, "images", *options))
    assert not Path("out").exists()


@pytest.mark.parametrize("options", [["--batch-size", "0"], ["--on-unknown", "ignore"]])
def test_option_out_of_range_is_wrong_use(lrp, model, options):
    assert lrp(model, "images", *options).exit_code == 2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: built(shape=(64,)), "has the shape (any, 64), which is no image"),
        (lambda: built(layers.GlobalMaxPooling2D(), shape=(None, None, 1)), "takes images of any size"),
        (lambda: built(batch_size=2), "takes exactly 2 images at a time, which does not divide the 3 given ones"),
        (lambda: built(shape=(8, 8, 5)), "has 1 or 3 channels, but the model takes 5. Pass the images as an .npy file"),
    ],
)
def test_model_that_takes_no_such_images_is_told(lrp, build, message):
    build().save("n.keras")
    assert message in refused(lrp("n.keras", "images"))


def test_model_with_a_fixed_number_of_rows_is_fed_as_it_wants(lrp):
    built(batch_size=1).save("n.keras")
    assert len(done(lrp("n.keras", "images"))["images"]) == 3


def test_model_that_chokes_on_the_images_is_told(lrp):
    inputs = keras.Input((None, None, 1))
    keras.Model(inputs, layers.Dense(2)(layers.Reshape((49,))(inputs))).save("n.keras")
    assert "cannot take images of the shape (3, 8, 8, 1)" in refused(lrp("n.keras", "images", "--size", "8x8"))


def test_unreadable_image_is_told(lrp, model):
    Path("images/b.png").write_bytes(b"no image")
    message = refused(lrp(model, "images"))
    assert "The image 'images/b.png' cannot be read: it is in none of the known formats." in message
    assert "--skip-unreadable" in message
    assert not Path("out/relevance/input.npy").exists()


def test_unreadable_images_may_be_left_out_and_are_listed(lrp, model):
    Path("images/b.png").write_bytes(b"no image")
    result = lrp(model, "images", "--skip-unreadable", "--batch-size", 1)
    index = done(result)
    assert [row["file"] for row in index["images"]] == ["images/a.png", "images/c.png"]
    assert [row["row"] for row in index["images"]] == [0, 1]
    assert [one["file"] for one in index["skipped"]] == ["images/b.png"]
    assert "deepdebug: left out images/b.png: The image 'images/b.png' cannot be read" in result.stderr
    assert "2 images explained, 1 left out:" in result.stdout


def test_long_list_of_unreadable_images_is_cut(lrp, model):
    for number in range(13):
        Path(f"images/x{number}.png").touch()
    result = lrp(model, "images", "--skip-unreadable")
    assert len(done(result)["skipped"]) == 13
    assert "left out 3 more; index.json lists them" in result.stderr


def test_nothing_but_unreadable_images_is_an_error(lrp, model):
    Path("bad.png").touch()
    assert "None of the 1 images can be read" in refused(lrp(model, "bad.png", "--skip-unreadable"))
    assert not Path("out").exists()


def test_earlier_result_is_kept_unless_it_may_be_replaced(lrp, model):
    done(lrp(model, "images"))
    assert "holds an earlier result. Choose another folder, or pass --overwrite" in refused(lrp(model, "images/a.png"))
    assert len(files("out/pictures")) == 3
    Path("out/pictures/mine.txt").write_text("mine")
    done(lrp(model, "images/a.png", "--overwrite"))
    assert files("out/pictures") == ["a.png", "mine.txt"]


def test_earlier_result_stays_when_the_new_one_fails(lrp, model):
    done(lrp(model, "images"))
    before = files()
    refused(lrp("none.keras", "images", "--overwrite"))
    refused(lrp(model, "images", "--overwrite", "--target", "7"))
    assert files() == before
    assert json.loads(Path("out/index.json").read_text())["complete"] is True


@pytest.mark.parametrize("content", ['{"program": "other"}', "[1]", "no json", "\\udcff"])
def test_folder_of_another_program_is_left_alone(lrp, model, content):
    Path("out").mkdir()
    Path("out/index.json").write_text(content)
    assert "holds an index.json that `deepdebug lrp` did not write" in refused(lrp(model, "images", "--overwrite"))
    assert files() == ["index.json"]


def test_forged_index_cannot_delete_other_files(lrp, model):
    Path("out/pictures").mkdir(parents=True)
    Path("precious").touch()
    Path("out/precious").touch()
    Path("out/pictures/link").symlink_to(Path("precious").absolute())
    listed = ["../precious", "precious", str(Path("precious").absolute()), "pictures/link", "a\0b", 7]
    Path("out/index.json").write_text(json.dumps({"program": "deepdebug lrp", "complete": True, "files": listed}))
    done(lrp(model, "images", "--overwrite"))
    assert Path("precious").exists()
    assert Path("out/precious").exists()


def interrupt_after(monkeypatch, batches):
    call = Explainer.__call__
    calls = []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) > batches:
            raise KeyboardInterrupt
        return call(self, *arguments)

    monkeypatch.setattr(Explainer, "__call__", interrupted)


def test_interrupted_run_leaves_whole_files_and_can_be_repeated(lrp, model, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        result = lrp(model, "images", "--batch-size", 1)
    assert result.exit_code == 130
    assert "deepdebug: interrupted after 2 of 3 images." in result.stderr
    assert "Traceback" not in result.stderr
    assert files() == ["index.json", "pictures/a.png", "pictures/b.png"]
    assert json.loads(Path("out/index.json").read_text())["complete"] is False
    for name in files("out/pictures"):
        Image.open(Path("out/pictures", name)).load()
    done(lrp(model, "images/c.png"))
    assert files("out/pictures") == ["c.png"]


def test_run_that_is_interrupted_before_its_first_image_writes_nothing(lrp, model, monkeypatch):
    interrupt_after(monkeypatch, 0)
    assert lrp(model, "images").exit_code == 130
    assert not Path("out").exists()


def test_full_disk_is_told_and_leaves_no_half_files(lrp, model, monkeypatch):
    written = Image.Image.save
    count = []

    def full(self, path, *arguments, **options):
        count.append(1)
        if len(count) > 2:
            Path(path).write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        written(self, path, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", full)
    message = refused(lrp(model, "images"))
    assert "The picture cannot be written to 'out/pictures/c.png': No space left on device." in message
    assert files() == ["index.json", "pictures/a.png", "pictures/b.png"]


def test_folder_that_may_not_be_written_to_is_told(lrp, model, monkeypatch):
    def forbidden(self, *arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    assert "cannot be written to 'out/index.json': Permission denied. Choose a folder" in refused(lrp(model, "images"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_read_only_folder_is_told(lrp, model):
    Path("out").mkdir(mode=0o500)
    assert "Permission denied. Choose a folder" in refused(lrp(model, "images"))


def test_folder_that_is_a_file_is_told(lrp, model):
    Path("out").touch()
    assert "The result cannot be written to 'out': Not a directory" in refused(lrp(model, "images"))


def test_missing_backend_is_told(lrp, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    assert "Keras cannot be started: " in refused(lrp(model, "images"))


def test_results_are_not_taken_for_images(lrp, model):
    done(lrp(model, ".", out="out"))
    assert len(done(lrp(model, ".", "--overwrite"))["images"]) == 3


@pytest.mark.slow
def test_sheet_of_many_images_is_capped_with_a_note(lrp, model):
    np.save("x.npy", RANDOM.integers(0, 256, (203, 8, 8)).astype("uint8"))
    result = lrp(model, "x.npy")
    assert len(done(result)["images"]) == 203
    assert "The contact sheet shows the first 200 of 203 images." in result.stdout


def test_progress_is_shown_on_a_terminal_with_speed_and_time_left(lrp, model, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    result = lrp(model, "images", "--batch-size", 1)
    done(result)
    assert "3/3" in result.stderr
    assert "images/s" in result.stderr
    assert "0:00:00" in result.stderr


def test_help_teaches_with_examples_and_names_every_composite(runner):
    text = runner.invoke(app, ["lrp", "--help"], env={"COLUMNS": "200"}).stdout
    assert "deepdebug lrp digits.keras seven.png --out heat               one image\n" in text
    assert "1/255; 1 for models that begin with a Rescaling layer" in " ".join(text.split())
    assert all(name in " ".join(text.split()) for name in COMPOSITES)


def test_help_of_the_program_names_the_command(runner):
    assert "deepdebug lrp model.keras images/ --out heatmaps\n" in runner.invoke(app, ["--help"]).stdout
