import errno
import os
from pathlib import Path

import numpy as np
import pytest

from deepdebug.array_file import ArrayFile
from deepdebug.errors import UsageError
from deepdebug.files import MAX_NAME_BYTES, file_names, readable, write_file


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a b", "a_b"),
        ("/absolute", "absolute"),
        ("back\\slash", "back_slash"),
        ("nul", "nul_"),
        ("CON", "CON_"),
        ("outer/inner", "outer_inner"),
        ("conv.1", "conv_1"),
        ("null\0byte\n", "null_byte"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE} 7", "\xe9t\xe9_7"),
        ("\N{CJK UNIFIED IDEOGRAPH-4E03}", "\N{CJK UNIFIED IDEOGRAPH-4E03}"),
        ("\N{GRINNING FACE}", "unnamed"),
        ("\udcff", "unnamed"),
    ],
)
def test_name_stays_in_its_folder(wanted, name):
    assert file_names([wanted]) == [name]


def test_equal_names_are_numbered_also_where_only_the_case_differs():
    assert file_names(["a", "A", "a-2", "a"]) == ["a", "A-2", "a-2-2", "a-3"]


def test_long_names_are_cut_between_letters_and_stay_different():
    names = file_names(["\N{CJK UNIFIED IDEOGRAPH-4E03}" * 500] * 2)
    assert len(set(names)) == 2
    assert all(len(name.encode()) <= MAX_NAME_BYTES + 5 for name in names)


def test_many_equal_names_take_no_quadratic_time():
    assert file_names(["a"] * 20000)[-1] == "a-20000"


def test_path_that_is_no_text_can_be_written_down():
    assert readable(Path(os.fsdecode(b"\xff.png"))) == "\\xff.png"


def test_failed_write_leaves_nothing(tmp_path):
    def full(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(
        UsageError, match=r"The picture cannot be written to '.*a.png': No space left on device. Choose a folder"
    ):
        write_file(tmp_path / "a.png", full, "picture")
    assert left_in(tmp_path) == []


def test_interrupted_write_leaves_nothing(tmp_path):
    def interrupted(path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "a.png", interrupted, "picture")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("batches", [[1], [3, 1], [1] * 120])
def test_array_grows_by_batches_and_needs_no_pickle(tmp_path, batches):
    rows = np.random.default_rng(0).random((sum(batches), 2, 3)).astype("float32")
    with ArrayFile(tmp_path / "deep" / "a.npy") as file:
        for part in np.split(rows, np.cumsum(batches)[:-1]):
            file.append(part)
        assert left_in(tmp_path / "deep") != ["a.npy"]
    assert file.shape == rows.shape
    assert left_in(tmp_path / "deep") == ["a.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "deep" / "a.npy", allow_pickle=False), rows)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_cut_off_array_leaves_nothing(tmp_path, error):
    def cut_off() -> None:
        with ArrayFile(tmp_path / "a.npy") as file:
            file.append(np.zeros((2, 2)))
            raise error

    with pytest.raises(error):
        cut_off()
    assert left_in(tmp_path) == []


def test_array_without_rows_makes_no_file(tmp_path):
    with ArrayFile(tmp_path / "a.npy"):
        pass
    assert left_in(tmp_path) == []


def test_objects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="are objects; expected numbers"), ArrayFile(tmp_path / "a.npy") as file:
        file.append(np.array([{}]))


def test_rows_of_another_shape_are_refused(tmp_path):
    with ArrayFile(tmp_path / "a.npy") as file:
        file.append(np.zeros((1, 2)))
        with pytest.raises(ValueError, match=r"shape \(3,\) and type float64; expected \(2,\) and float64"):
            file.append(np.zeros((1, 3)))


def test_full_disk_while_the_array_grows_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    class Full:
        def __init__(self, file):
            self.file, self.bytes = file, 0

        def write(self, data):
            self.bytes += len(data)
            if self.bytes > 1000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(data)

        def __getattr__(self, name):
            return getattr(self.file, name)

    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *mode: Full(opened(self, *mode)))

    def grow() -> None:
        with ArrayFile(tmp_path / "a.npy") as file:
            for _ in range(100):
                file.append(np.zeros((1, 100)))

    with pytest.raises(UsageError, match=r"The array cannot be written to '.*a.npy': No space left"):
        grow()
    assert left_in(tmp_path) == []


def test_array_that_cannot_be_renamed_is_told_and_leaves_nothing(tmp_path):
    (tmp_path / "a.npy").mkdir()
    with pytest.raises(UsageError, match="The array cannot be written"), ArrayFile(tmp_path / "a.npy") as file:
        file.append(np.zeros((1, 2)))
    assert left_in(tmp_path) == ["a.npy"]
