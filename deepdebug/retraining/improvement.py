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

    It lies in one of the forms of the other sets, or as image files without labels: folders that are not named like
    classes say nothing.

    Args:
        case: The case.
        classes: Names of the classes; empty for a regression.

    Raises:
        UsageError: When there is none.
    """
    folder = case.folder / DATA / IMPROVEMENT
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {str(folder)!r}; expected images to choose from, with labels in one of the forms of "
            "the test set, or without any."
        )
    inside = {one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")}
    is_labelled = (folder / TARGETS).is_file() or any(folder.glob("*.npz")) or (inside and inside <= set(classes))
    if is_labelled:
        found = read_dataset(folder, classes)
        return Improvement(found.names, found.sources, OwnLabels(found.expected))
    sources = find_sources([folder])
    names = tuple(readable(Path(source.path.relative_to(folder).as_posix())) for source in sources)
    return Improvement(names, sources, None)
