"""What is asked about a case, and the case with the model that it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from deepdebug.case.dataset import DataSet
from deepdebug.case.folder import DATA, MODELS, TEST, TRAINING, Case, read_case
from deepdebug.case.preprocessing import Preprocessing, merged
from deepdebug.case.sources import completed
from deepdebug.errors import UsageError
from deepdebug.hudd.clusters import ClusterSettings
from deepdebug.hudd.explaining import Advance, Subject
from deepdebug.hudd.images import FileImages, file_hash
from deepdebug.hudd.tested import WRONG_LABEL, FailureRule, parse_rule
from deepdebug.model.saved import image_input, load_model

RESULTS = {TEST: "testResult.csv", TRAINING: "trainResult.csv"}
NAMED = 5  # classes that a message names
Stage = Callable[[str, int], Advance]  # name and number of images of a stage -> how to tell of progress


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done.

    Args:
        case: Folder of the case.
        out: Folder for the results.
        model: Name of a model of the case. Defaults to `None`: the only one.
        failures: When an answer is a failure. Defaults to `None`: what the case says, or a wrong label.
        layers: Names of the layers whose relevance is clustered. Defaults to none: the convolutions, or what HUDD as
            published looks at.
        composite: Rules of relevance. Defaults to `None`: "z-plus", or "hudd" in that mode.
        target: The explained output of a classifier: "predicted" or "largest". Defaults to `"predicted"`. Of a
            regression it is the value farthest from what is usual in the test set, counted in standard deviations.
        normalise: What is done to every heatmap before it is compared. Defaults to `"sqrt"`.
        dtype: Of the heatmaps. Defaults to `"float32"`.
        summed: Whether channels are summed up. Defaults to `False`.
        storage: "full", "sketch", or "auto", which keeps 256 random projections of each heatmap where whole ones would
            take more than 8 GiB. Defaults to `"auto"`.
        embedding: A `.npy` file with one row per image of the test set, in the order of their names, to be clustered by
            as well. Defaults to `None`.
        views: What the failures are grouped by; see `views_of`. Defaults to none: relevance, and with an embedding the
            activations and the embedding.
        preprocessing: What was said about it beside `case.toml`. Defaults to nothing.
        batch_size: Images that go through the model together. Defaults to `64`.
        clustering: How the failures are grouped. Defaults to the default pipeline.
        exports: Formats in which distances are kept: "npy", "parquet", "xlsx". Defaults to none.
    """

    case: Path
    out: Path
    model: str | None = None
    failures: FailureRule | None = None
    layers: tuple[str, ...] = ()
    composite: str | None = None
    target: Literal["predicted", "largest"] = "predicted"
    normalise: str = "sqrt"
    dtype: str = "float32"
    summed: bool = False
    storage: Literal["auto", "full", "sketch"] = "auto"
    embedding: Path | None = None
    views: tuple[str, ...] = ()
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    batch_size: int = 64
    clustering: ClusterSettings = field(default_factory=ClusterSettings)
    exports: tuple[str, ...] = ()

    def absolute(self) -> Request:
        """Return the same for a process that may run in another folder."""
        return replace(self, case=self.case.absolute(), out=self.out.absolute())

    @property
    def rules(self) -> str:
        """The composite: what was asked for, or that of the mode."""
        return self.composite or ("hudd" if self.clustering.mode == "hudd" else "z-plus")


@dataclass(frozen=True, slots=True)
class Opened:
    """A case with one of its models.

    Args:
        case: The case.
        subject: The model.
        sets: The sets of the case that are there, by name.
        rule: When an answer is a failure.
        images: The images of every set, by its name.
    """

    case: Case
    subject: Subject
    sets: Mapping[str, DataSet]
    rule: FailureRule
    images: Mapping[str, FileImages]


def silent(_name: str, _images: int) -> Advance:
    """Show no progress."""
    return lambda _: None


def open_case(request: Request) -> Opened:
    """Read the case and load the model.

    Args:
        request: What is to be done.

    Raises:
        UsageError: When the case or the model cannot be used.
    """
    case = read_case(request.case)
    _check_out(request)
    path = case.model_path(request.model)
    sets = {part: case.dataset(part) for part in RESULTS if part == TEST or case.has(part)}
    if TRAINING in sets:
        _check_classes(sets[TEST], sets[TRAINING])
    model = load_model(path)
    given = image_input(model)
    said = merged(case.preprocessing, request.preprocessing)
    preprocessing = completed(said, sets[TEST].sources, given.shape, given.rescaled_by is not None)
    channels = None if len(given.shape) == 2 else given.shape[2]
    batch_size = request.batch_size if given.rows is None else given.rows
    images = {
        part: FileImages(one.names, one.sources, preprocessing, channels, batch_size) for part, one in sets.items()
    }
    rule = request.failures or (parse_rule(case.failures) if case.failures else WRONG_LABEL)
    return Opened(case, Subject(model, path.stem, file_hash(path)), sets, rule, images)


def _check_classes(test: DataSet, training: DataSet) -> None:
    """Refuse sets in which the same number stands for different classes."""
    if test.classes == training.classes:
        return
    if not test.classes or not training.classes:
        labelled, other = (TEST, TRAINING) if test.classes else (TRAINING, TEST)
        raise UsageError(
            f"The {labelled} has classes and the {other} has values; expected the same of both. Bring one of them into "
            "the form of the other."
        )
    known = {TRAINING: set(training.classes), TEST: set(test.classes)}
    strange = {TRAINING: known[TRAINING] - known[TEST], TEST: known[TEST] - known[TRAINING]}
    told = "; ".join(f"{', '.join(sorted(one)[:NAMED])} only in the {part}" for part, one in strange.items() if one)
    raise UsageError(
        f"The {TRAINING} has other classes than the {TEST}: {told}. Expected the same, for a label is the place of its "
        "class among them. Rename the folders, or name all classes, in the order of the model's outputs, as `classes` "
        "in the table [case] of case.toml."
    )


def _check_out(request: Request) -> None:
    """Refuse a folder for the results that is none, or in which they would become part of the case."""
    out = request.out.resolve()
    if out.exists() and not out.is_dir():
        raise UsageError(f"`--out` got {str(request.out)!r}, which is a file; expected a folder, or a new name.")
    for part in (DATA, MODELS):
        if out.is_relative_to((request.case / part).resolve()):
            raise UsageError(
                f"`--out` got {str(request.out)!r}, which lies in {part} of the case, where results would be taken for "
                "images or models. Choose another folder."
            )
    if (out / MODELS).resolve() == (request.case / MODELS).resolve():
        raise UsageError(
            f"`--out` got {str(request.out)!r}, whose {MODELS} is that of the case, where retrained models would be "
            f"taken for original ones. Choose another folder, such as {str(request.case / 'T')!r}."
        )
