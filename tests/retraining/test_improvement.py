from pathlib import Path

import numpy as np
import pytest

from deepdebug.case.folder import Case
from deepdebug.case.preprocessing import Preprocessing
from deepdebug.errors import UsageError
from deepdebug.retraining.improvement import improvement_set

CLASSES = ("dark", "light")


def found(folder: Path, *names):
    for name in names:
        path = folder / "DataSets" / "ImprovementSet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return improvement_set(Case(folder, "case", (), Preprocessing()), CLASSES)


def test_folders_named_like_classes_are_labels(tmp_path):
    labels = found(tmp_path, "dark/1.png", "light/2.png", ".hidden/3.png").labels
    assert labels.of([0, 1]).tolist() == [0, 1]


@pytest.mark.parametrize("names", [("1.png", "2.png"), ("monday/1.png", "2.png")])
def test_other_images_have_no_labels(tmp_path, names):
    assert found(tmp_path, *names).labels is None


def test_folder_that_is_no_class_beside_those_of_classes_is_named(tmp_path):
    with pytest.raises(
        UsageError, match=r"for the classes light and others, lihgt, which are no classes; .*dark, light"
    ):
        found(tmp_path, "light/1.png", "lihgt/2.png")


def test_values_where_the_test_set_has_classes_are_refused(tmp_path):
    folder = tmp_path / "DataSets" / "ImprovementSet"
    folder.mkdir(parents=True)
    (folder / "targets.csv").write_text("image,x\n1.png,0.5\n")
    with pytest.raises(UsageError, match="comes with values, and the test set with classes; expected the same"):
        found(tmp_path, "1.png")


def test_classes_where_the_test_set_has_values_are_refused(tmp_path):
    folder = tmp_path / "DataSets" / "ImprovementSet"
    folder.mkdir(parents=True)
    np.savez(folder / "images.npz", x=np.zeros((2, 4, 4, 1), "float32"), labels=np.array([0, 1]))
    with pytest.raises(UsageError, match="comes with classes, and the test set with values; expected the same"):
        improvement_set(Case(tmp_path, "case", (), Preprocessing()), ())
