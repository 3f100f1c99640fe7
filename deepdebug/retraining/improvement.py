"""The improvement set of a case: images, with labels that stay closed until images are chosen, or without any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepdebug.case.dataset import TARGETS, read_dataset
from deepdebug.case.folder import DATA, IMPROVEMENT, Case
from deepdebug.case.sources import Source, find_sources
from deepdebug.errors import UsageError
from deepdebug.files import readable
from deepdebug.retraining.labels import LabelSource, OwnLabels


@dataclass(frozen=True, slots=True)
class Improvement:
    """The images that may be labelled.

    Args:
        names: A name per image that no other has.
        sources: Where each is.
        labels: The labels that came with the set; `None` where it came without.
    """

    names: tuple[str, ...]
    sources: tuple[Source, ...]
    labels: LabelSource | None


def improvement_set(case: Case, classes: Sequence[str]) -> Improvement:
    """Find the images of the improvement set; none is opened.

    It lies in one of the forms of the other sets, or as image files without labels: folders of which none is named
    like a class say nothing.

    Args:
        case: The case.
        classes: Names of the classes; empty for a regression.

    Raises:
        UsageError: When there is none, some of its folders are named like classes and others are not, or it has values
            where the test set has classes, or the other way round.
    """
    folder = case.folder / DATA / IMPROVEMENT
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {str(folder)!r}; expected images to choose from, with labels in one of the forms of "
            "the test set, or without any."
        )
    inside = {one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")}
    if (folder / TARGETS).is_file() or any(folder.glob("*.npz")) or _is_by_class(folder, inside, classes):
        found = read_dataset(folder, classes)
        if bool(found.classes) != bool(classes):
            wanted, given = ("classes", "values") if classes else ("values", "classes")
            raise UsageError(
                f"The set {str(folder)!r} comes with {given}, and the test set with {wanted}; expected the same. Give "
                f"it {wanted}, or take the {given} out: one can choose from images alone as well."
            )
        return Improvement(found.names, found.sources, OwnLabels(found.expected))
    sources = find_sources([folder])
    names = tuple(readable(Path(source.path.relative_to(folder).as_posix())) for source in sources)
    return Improvement(names, sources, None)


def _is_by_class(folder: Path, inside: set[str], classes: Sequence[str]) -> bool:
    strange, known = sorted(inside - set(classes)), sorted(inside & set(classes))
    if strange and known:
        raise UsageError(
            f"The set {str(folder)!r} has folders for the classes {', '.join(known)} and others, {', '.join(strange)}, "
            f"which are no classes; expected some of {', '.join(classes)}. Rename them, or add them to `classes` in "
            "case.toml; if the images have no labels, put all of them into one folder."
        )
    return bool(known)
