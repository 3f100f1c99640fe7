import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from deepdebug.errors import UsageError
from deepdebug.hudd import exports
from deepdebug.hudd.exports import MOST_COLUMNS, check_exports, export_distances

NAMES = ["a/=1+1.png", "b.png", 'ü,".png']
MATRIX = squareform(pdist(np.random.default_rng(0).random((3, 5)))).astype("float32")


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "conv1.npy", squareform(MATRIX, checks=False))
    return tmp_path


def test_sheet_has_names_above_and_numbers_beside(folder):
    openpyxl = pytest.importorskip("openpyxl")
    kept = export_distances(folder, ["conv1", "none"], NAMES, ["xlsx"])
    assert kept == [one.name for one in folder.iterdir()] == ["Layerconv1HMDistance.xlsx"]
    rows = list(openpyxl.load_workbook(folder / "Layerconv1HMDistance.xlsx").active.values)
    assert list(rows[0]) == [None, *NAMES]
    assert [row[0] for row in rows[1:]] == [0, 1, 2]
    np.testing.assert_allclose(np.array([row[1:] for row in rows[1:]], float), MATRIX, rtol=1e-6)


def test_parquet_has_a_column_per_image(folder):
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder / "mine.npy").touch()
    assert export_distances(folder, ["conv1"], NAMES, ["parquet", "npy"]) == ["conv1.parquet", "conv1.npy"]
    table = parquet.read_table(folder / "conv1.parquet")
    assert table.column_names == NAMES
    np.testing.assert_array_equal(np.stack([column.to_numpy() for column in table.columns], axis=1), MATRIX)
    assert (folder / "conv1.npy").exists()
    assert (folder / "mine.npy").exists()


def test_more_images_than_a_sheet_has_columns_are_refused():
    check_exports(["xlsx", "npy", "parquet"], MOST_COLUMNS)
    with pytest.raises(UsageError, match="room for the distances of 16,383 images; there are 16,384"):
        check_exports(["xlsx"], MOST_COLUMNS + 1)
    check_exports(["npy"], MOST_COLUMNS + 1)


def test_missing_library_and_unknown_format_are_told(monkeypatch):
    monkeypatch.setattr(exports, "NEEDED", {"xlsx": "no_such_package"})
    with pytest.raises(UsageError, match=r"pip install 'deepdebug\[export\]'"):
        check_exports(["xlsx"], 3)
    with pytest.raises(UsageError, match="expected one of npy, parquet, xlsx"):
        check_exports(["csv"], 3)
