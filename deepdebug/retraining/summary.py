"""What retraining brought, as plain numbers and texts: JSON as it stands, and what the page tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deepdebug.files import write_file
from deepdebug.retraining.comparing import Change
from deepdebug.retraining.statistics import Interval

CHOSEN = "chosen-"  # and the number of a cluster: the name of what the images chosen for it look like
FORMAT = 1  # of the file; grows with every change that old files do not fit


@dataclass(frozen=True, slots=True)
class ArmResult:
    """All runs of one arm.

    Args:
        arm: "HUDD", "BL1", "BL2" or "entropy".
        runs: How many there were.
        diverged: Names of those that were kept out, because the loss stopped being finite.
        labels: Images that were labelled for each run.
        bag: Images of each bag, some of them several times.
        accuracies: Share of the test set that each run gets right, without those kept out.
        mean: Their mean and its interval; `None` where all were kept out.
        p_value: Mann-Whitney, HUDD against this arm; `None` for HUDD itself, or with fewer than two runs of either.
        superiority: Chance that a run of HUDD is better than one of this arm, equal ones counted half (A12); `None`
            likewise.
        notes: What a reader should know.
    """

    arm: str
    runs: int
    diverged: tuple[str, ...]
    labels: int
    bag: int
    accuracies: tuple[float, ...]
    mean: Interval | None
    p_value: float | None
    superiority: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterResult:
    """What retraining did to one cluster.

    Args:
        number: From 1 on.
        failures: Its members, all of which the original model gets wrong.
        quota: Images that it might claim for labelling.
        chosen: Images that were chosen for it.
        mended: Members that the retrained model gets right; `None` where there is no retrained model.
        images: Names of some of the images that were chosen, the nearest first.
    """

    number: int
    failures: int
    quota: int
    chosen: int
    mended: int | None
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedImage:
    """An image of the test set about which two models disagree.

    Args:
        name: Of the image.
        expected: What is right; empty for a regression.
        before: What the original model says: a class, or the loss.
        after: What the retrained one says.
    """

    name: str
    expected: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Retrained:
    """What retraining brought.

    Args:
        fingerprint: A hash of the analysis that it belongs to.
        images: Number of images of the test set.
        before: Share of them that the original model gets right.
        arms: The arms.
        shown: Name of the run that everything below is about: of the first arm, the one with the median accuracy; empty
            where all diverged.
        model: File of its model.
        changes: Kind of group ("all", "class", "cluster", "planted cause") and the groups.
        clusters: One for each cluster of the analysis.
        fixed: Some images that only the retrained model gets right.
        broken: Some that only the original one gets right.
        findings: Findings of `Diagnose` by run, of those that have any.
        settings: How was trained, as pairs of label and value.
    """

    fingerprint: str
    images: int
    before: float
    arms: tuple[ArmResult, ...]
    shown: str
    model: str
    changes: tuple[tuple[str, tuple[Change, ...]], ...]
    clusters: tuple[ClusterResult, ...]
    fixed: tuple[ChangedImage, ...]
    broken: tuple[ChangedImage, ...]
    findings: tuple[tuple[str, int], ...]
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _File:
    format: int
    retrained: Retrained


def write_retrained(path: Path, retrained: Retrained) -> Path:
    """Write a summary, whole or not at all.

    Args:
        path: The JSON file.
        retrained: Its content.

    Raises:
        UsageError: When it cannot be written.
    """
    content = TypeAdapter(_File).dump_json(_File(FORMAT, retrained), indent=1) + b"\n"
    return write_file(path, lambda to: to.write_bytes(content), "summary of the retraining")


def read_retrained(path: Path, fingerprint: str) -> Retrained | None:
    """Read a summary back; `None` where there is none that belongs to the analysis.

    Args:
        path: The file.
        fingerprint: A hash of the analysis.
    """
    try:
        found = TypeAdapter(_File).validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    is_same = found.format == FORMAT and found.retrained.fingerprint == fingerprint
    return found.retrained if is_same else None
