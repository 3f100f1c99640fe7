import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.errors import UsageError
from deepdebug.row_file import RowFile

ROWS = np.random.default_rng(0).normal(size=(7, 2, 3)).astype("float32")


def filled(path, parts, rows=ROWS):
    """Fill the file in several openings, each adding some of the rows that are missing."""
    for part in [*parts, len(rows)]:
        with RowFile(path, len(rows), rows.shape[1:]) as file:
            for row in rows[file.done : file.done + part]:
                file.append(row[None])
    return path


@given(st.lists(st.integers(0, 4), max_size=5))
def test_interrupted_filling_gives_the_same_bytes(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("rows")
    at_once, in_parts = filled(folder / "a.npy", []), filled(folder / "b.npy", parts)
    assert at_once.read_bytes() == in_parts.read_bytes()
    np.testing.assert_array_equal(np.load(in_parts, mmap_mode="r", allow_pickle=False), ROWS)
    assert sorted(one.name for one in folder.iterdir()) == ["a.npy", "b.npy"]


def test_row_that_was_cut_off_is_written_again(tmp_path):
    path = tmp_path / "a.npy"
    with RowFile(path, 7, (2, 3)) as file:
        file.append(ROWS[:3])
    part = path.with_name("a.npy.part")
    part.write_bytes(part.read_bytes()[:-5])
    assert not path.exists()
    with RowFile(path, 7, (2, 3)) as file:
        assert file.done == 2
        file.append(ROWS[2:])
    np.testing.assert_array_equal(np.load(path, allow_pickle=False), ROWS)


def test_file_of_another_shape_is_begun_anew(tmp_path):
    path = tmp_path / "a.npy"
    with RowFile(path, 9, (2, 3)) as file:
        file.append(ROWS)
    with RowFile(path, 7, (2, 3)) as file:
        assert file.done == 0


def test_finished_file_is_left_alone_until_it_is_discarded(tmp_path):
    path = filled(tmp_path / "a.npy", [])
    with RowFile(path, 7, (2, 3)) as file:
        assert file.done == 7
    RowFile(path, 7, (2, 3)).discard()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("before", [7, 5])
def test_last_rows_may_be_forgotten(tmp_path, before):
    path = tmp_path / "a.npy"
    with RowFile(path, 7, (2, 3)) as file:
        file.append(np.zeros_like(ROWS[:before]))
    with RowFile(path, 7, (2, 3)) as file:
        file.keep(2)
        assert file.done == 2
        file.append(ROWS[2:])
    found = np.load(path, allow_pickle=False)
    np.testing.assert_array_equal(found[2:], ROWS[2:])
    assert not found[:2].any()


def test_rows_that_do_not_fit_are_refused(tmp_path):
    with RowFile(tmp_path / "a.npy", 2, (2, 3)) as file:
        with pytest.raises(ValueError, match="do not fit behind 0"):
            file.append(ROWS[:3])
        with pytest.raises(ValueError, match="do not fit"):
            file.append(ROWS[:1, :1])


class Full:
    """A file on a full disk."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, _):
        raise OSError(28, "No space left on device")


def test_full_disk_is_told_and_what_is_there_stays(tmp_path):
    path = tmp_path / "a.npy"
    with RowFile(path, 7, (2, 3)) as file:
        file.append(ROWS[:2])
        file._file = Full(file._file)
        with pytest.raises(UsageError, match="No space left on device"):
            file.append(ROWS[2:4])
    with RowFile(path, 7, (2, 3)) as file:
        assert file.done == 2


def test_path_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"), RowFile(tmp_path / "file" / "a.npy", 1, (1,)):
        pass
