import numpy as np
import pytest

from deepdebug.case.preprocessing import Preprocessing, fitted, from_flags, merged, model_input, read_preprocessing
from deepdebug.errors import UsageError


@pytest.fixture
def case(tmp_path):
    """Return a function that writes a case file and gives its path."""

    def write(text: str):
        path = tmp_path / "case.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_table_of_the_case_file_is_read(case):
    text = '[other]\nx = 1\n[preprocessing]\nsize = [64, 48]\ncolour = "gray"\nscale = 1\noffset = -0.5\n'
    assert read_preprocessing(case(text)) == Preprocessing((64, 48), "gray", 1.0, -0.5)


def test_case_file_without_the_table_says_nothing(case):
    assert read_preprocessing(case("[data]\nimages = 'x'\n")) == Preprocessing()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "siz = [64, 64]",
            r"Unknown key in \[preprocessing\] of .*case.toml: siz. Expected some of: size, colour, scale",
        ),
        (
            "size = 64",
            r"`size` in \[preprocessing\] of .*case.toml is 64; expected \[height, width\], such as \[64, 64\]",
        ),
        ("size = [64]", r"is \[64\]; expected \[height, width\]"),
        ("size = [64, 0]", r"is \[64, 0\]; expected"),
        ("size = [64, true]", r"is \[64, True\]; expected"),
        ("size = [64.0, 64]", r"is \[64.0, 64\]; expected"),
        ("size = [1000000, 64]", "with numbers from 1 to 16384"),
        ("colour = 'grey'", "`colour` in .* is 'grey'; expected gray or rgb"),
        ("colour = 3", "is 3; expected gray or rgb"),
        ("scale = '1/255'", "`scale` in .* is '1/255'; expected a number other than 0"),
        ("scale = 0", "`scale` in .* is 0; expected a number other than 0"),
        ("scale = inf", "is inf; expected a finite number"),
        ("offset = true", "`offset` in .* is True; expected a finite number"),
        ("offset = nan", "is nan; expected a finite number"),
    ],
)
def test_wrong_value_is_named(case, line, message):
    with pytest.raises(UsageError, match=message):
        read_preprocessing(case(f"[preprocessing]\n{line}\n"))


def test_table_that_is_none_is_told(case):
    with pytest.raises(UsageError, match=r"`preprocessing` in .* is 3; expected a table, \[preprocessing\]"):
        read_preprocessing(case("preprocessing = 3\n"))


def test_file_that_is_no_toml_is_told(case):
    with pytest.raises(UsageError, match=r"The case file '.*case.toml' is no TOML: .*line 1"):
        read_preprocessing(case("size = = 3"))


def test_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "case.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no TOML"):
        read_preprocessing(tmp_path / "case.toml")


def test_missing_file_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"case.toml' cannot be read: No such file or directory. Pass an existing"):
        read_preprocessing(tmp_path / "case.toml")


def test_flags_win_over_the_file():
    file = Preprocessing((64, 64), "gray", 1.0, 0.5)
    flags = from_flags(size="28x32", offset=0.0)
    assert merged(file, flags) == Preprocessing((28, 32), "gray", 1.0, 0.0)


def test_scale_may_be_a_quotient():
    assert from_flags(scale="1/255").scale == 1 / 255
    assert from_flags(scale="-2").scale == -2.0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"size": "64"}, "`--size` is '64'; expected HEIGHTxWIDTH, such as 64x64"),
        ({"size": "64xa"}, "`--size` is '64xa'"),
        ({"size": "0x64"}, "`--size` is '0x64'"),
        ({"size": "-4x64"}, "`--size` is '-4x64'"),
        ({"size": ""}, "`--size` is ''"),
        ({"colour": "red"}, "`--colour` is 'red'; expected gray or rgb"),
        (
            {"scale": "a"},
            "`--scale` is 'a'; expected a number other than 0, such as 0.0039 or, on the command line, 1/255",
        ),
        ({"scale": "1/0"}, "`--scale` is '1/0'"),
        ({"scale": "0"}, "`--scale` is 0.0"),
        ({"scale": ""}, "`--scale` is ''"),
        ({"scale": "nan"}, "`--scale` is nan"),
        ({"offset": float("inf")}, "`--offset` is inf; expected a finite number"),
    ],
)
def test_wrong_flag_is_named(flags, message):
    with pytest.raises(UsageError, match=message):
        from_flags(**flags)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((28, 28), Preprocessing((28, 28), "gray", 1 / 255, 0.0)),
        ((28, 30, 1), Preprocessing((28, 30), "gray", 1 / 255, 0.0)),
        ((28, 28, 3), Preprocessing((28, 28), "rgb", 1 / 255, 0.0)),
        ((28, 28, 5), Preprocessing((28, 28), None, 1 / 255, 0.0)),
        ((28, 28, None), Preprocessing((28, 28), "rgb", 1 / 255, 0.0)),
    ],
)
def test_model_completes_what_was_not_said(shape, expected):
    assert fitted(Preprocessing(), shape) == expected


def test_what_was_said_stays_where_the_model_takes_anything():
    said = Preprocessing((32, 48), "gray", 2.0, 1.0)
    assert fitted(said, (None, None, None)) == said


@pytest.mark.parametrize(
    ("said", "shape", "message"),
    [
        (Preprocessing(), (784,), r"input has the shape \(any, 784\), which is no image"),
        (Preprocessing(), (3, 64, 64), "which is no image with its channels last"),
        (Preprocessing(), (8, 8, 8, 1), "which is no image"),
        (Preprocessing(), (None, None, 3), "takes images of any size.*`--size 64x64`"),
        (Preprocessing(size=(32, 32)), (28, 28, 1), r"would have the size 32x32, but the model takes 28x28"),
        (Preprocessing(size=(32, 32)), (None, 28, 1), r"but the model takes anyx28"),
        (Preprocessing(colour="rgb"), (28, 28, 1), "'rgb' gives 3 channels, but the model takes 1"),
        (Preprocessing(colour="rgb"), (28, 28), "'rgb' gives 3 channels, but the model takes 1"),
    ],
)
def test_what_does_not_fit_the_model_is_told(said, shape, message):
    with pytest.raises(UsageError, match=message):
        fitted(said, shape)


def test_model_gets_scaled_single_precision():
    x = model_input(np.array([0, 255], "float32"), Preprocessing(scale=1 / 255, offset=-0.5))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, [-0.5, 0.5])
