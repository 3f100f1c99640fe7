"""The folder of a case: its data sets, its models, and `case.toml`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepdebug.case.dataset import DataSet, read_dataset
from deepdebug.case.preprocessing import Preprocessing, read_preprocessing
from deepdebug.errors import UsageError

CASE_FILE, DATA, MODELS = "case.toml", "DataSets", "DNNModels"
TRAINING, TEST, IMPROVEMENT = "TrainingSet", "TestSet", "ImprovementSet"
SUFFIX = ".keras"
TABLES, KEYS = ("case", "preprocessing", "parameters"), ("name", "classes", "outputs", "failures")
NEARLY, SHORTEST = 0.85, 3  # difflib's likeness, or letters of a beginning, from which another name was meant


@dataclass(frozen=True, slots=True)
class Case:
    """A model's task, as it lies on disk.

        DataSets/{TrainingSet,TestSet,ImprovementSet}    see `deepdebug.case.dataset`
        DNNModels/NAME.keras
        case.toml                                        optional

    `case.toml` may say in [case]: `name`, `classes`, `outputs`, `failures`; in [preprocessing]: see
    `deepdebug.case.preprocessing`; in [parameters]: `angles`.

    Args:
        folder: The folder.
        name: Name of the case.
        classes: Names of the classes in the order of the model's outputs; empty for a regression, or where the sets
            say them.
        preprocessing: How images become the model's input, as far as `case.toml` says.
        outputs: Names of a regression's values, or of its points, which have two coordinates each; empty where nothing
            is said.
        failures: When an answer counts as a failure, such as "loss>2"; `None` where nothing is said.
        angles: Names of the parameters that are angles in degrees, of which 0 and 360 are the same.
    """

    folder: Path
    name: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    outputs: tuple[str, ...] = ()
    failures: str | None = None
    angles: tuple[str, ...] = ()

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
        raise UsageError(
            f"The case {str(self.folder)!r} {said}; choose one of {', '.join(known)}, with "
            "`deepdebug hudd run --model`."
        )


def read_case(folder: Path) -> Case:
    """Read what is said about a case.

    Args:
        folder: The folder of the case.

    Raises:
        UsageError: When it is none, or `case.toml` cannot be used.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {str(folder)!r}; expected that of a case. Check the name.")
    if not (folder / DATA).is_dir():
        raise UsageError(
            f"{str(folder)!r} is no case: it has no folder {DATA}. Expected {DATA}/{TEST} and "
            f"{MODELS}/NAME{SUFFIX}; `deepdebug simulate` makes one to look at."
        )
    path = folder / CASE_FILE
    if not path.is_file():
        return Case(folder, folder.resolve().name, (), Preprocessing())
    preprocessing = read_preprocessing(path)
    with path.open("rb") as file:
        said = tomllib.load(file)
    _refuse_misspelt(path, said, TABLES, "table")
    about = _table(path, said, "case")
    _refuse_misspelt(path, about, KEYS, "key")
    failures = about.get("failures")
    if failures is not None and not isinstance(failures, str):
        raise UsageError(f"`failures` in [case] of {path} is {failures!r}; expected a text such as 'loss>2'.")
    return Case(
        folder,
        str(about.get("name", folder.resolve().name)),
        _names(path, about, "case", "classes"),
        preprocessing,
        _names(path, about, "case", "outputs"),
        failures,
        _names(path, _table(path, said, "parameters"), "parameters", "angles"),
    )


def _refuse_misspelt(path: Path, given: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """Refuse a name that is nearly one of ours; others may stand there for others to read."""
    for name in given:
        begun = [one for one in known if len(name) >= SHORTEST and one.startswith(name)]
        meant = begun or difflib.get_close_matches(name, known, 1, NEARLY)
        if name not in known and meant:
            raise UsageError(f"{path} has the {what} {name!r}; did you mean {meant[0]!r}? Rename it, or remove it.")


def _table(path: Path, said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = said.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"`{name}` in {path} is {table!r}; expected a table, [{name}].")
    return table


def _names(path: Path, table: Mapping[str, Any], name: str, key: str) -> tuple[str, ...]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise UsageError(f"`{key}` in [{name}] of {path} is {names!r}; expected a list of names.")
    return tuple(names)
