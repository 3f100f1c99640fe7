"""The folder of a case: its data sets, its models, and `case.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from deepdebug.case.dataset import DataSet, read_dataset
from deepdebug.case.preprocessing import Preprocessing, read_preprocessing
from deepdebug.errors import UsageError

CASE_FILE, DATA, MODELS = "case.toml", "DataSets", "DNNModels"
TRAINING, TEST, IMPROVEMENT = "TrainingSet", "TestSet", "ImprovementSet"
SUFFIX = ".keras"


@dataclass(frozen=True, slots=True)
class Case:
    """A model's task, as it lies on disk.

        DataSets/{TrainingSet,TestSet,ImprovementSet}    see `deepdebug.case.dataset`
        DNNModels/NAME.keras
        case.toml                                        optional: [case] name, classes; [preprocessing]

    Args:
        folder: The folder.
        name: Name of the case.
        classes: Names of the classes in the order of the model's outputs; empty for a regression, or where the sets
            say them.
        preprocessing: How images become the model's input, as far as `case.toml` says.
    """

    folder: Path
    name: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing

    def dataset(self, part: str) -> DataSet:
        """Return one of the sets.

        Args:
            part: "TrainingSet", "TestSet" or "ImprovementSet".

        Raises:
            UsageError: When it is not there or cannot be used.
        """
        return read_dataset(self.folder / DATA / part, self.classes)

    def has(self, part: str) -> bool:
        """Tell whether a set is there."""
        return (self.folder / DATA / part).is_dir()

    def model_path(self, name: str | None = None) -> Path:
        """Return the file of a model.

        Args:
            name: Its name, with or without the ending. Defaults to `None`: the only one there is.

        Raises:
            UsageError: When there is no such model, or more than one and no name.
        """
        known = sorted(path.name for path in (self.folder / MODELS).glob(f"*{SUFFIX}"))
        wanted = [one for one in known if name is None or one in (name, f"{name}{SUFFIX}")]
        if len(wanted) == 1:
            return self.folder / MODELS / wanted[0]
        if not known:
            raise UsageError(f"There is no model in {str(self.folder / MODELS)!r}; save one there as NAME{SUFFIX}.")
        said = "has several models" if name is None else f"has no model {name!r}"
        raise UsageError(f"The case {str(self.folder)!r} {said}; pass --model with one of {', '.join(known)}.")


def read_case(folder: Path) -> Case:
    """Read what is said about a case.

    Args:
        folder: The folder of the case.

    Raises:
        UsageError: When it is none, or `case.toml` cannot be used.
    """
    if not (folder / DATA).is_dir():
        raise UsageError(
            f"{str(folder)!r} is no case: it has no folder {DATA}. Expected {DATA}/{TRAINING}, {DATA}/{TEST} and "
            f"{MODELS}/NAME{SUFFIX}; `deepdebug simulate` makes one to look at."
        )
    path = folder / CASE_FILE
    if not path.is_file():
        return Case(folder, folder.resolve().name, (), Preprocessing())
    preprocessing = read_preprocessing(path)
    with path.open("rb") as file:
        said = tomllib.load(file).get("case", {})
    if not isinstance(said, dict):
        raise UsageError(f"`case` in {path} is {said!r}; expected a table, [case].")
    classes = said.get("classes", [])
    if not isinstance(classes, list) or not all(isinstance(one, str) for one in classes):
        raise UsageError(f"`classes` in [case] of {path} is {classes!r}; expected a list of names.")
    return Case(folder, str(said.get("name", folder.resolve().name)), tuple(classes), preprocessing)
