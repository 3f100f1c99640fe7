"""What is kept of every retraining, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deepdebug.errors import UsageError
from deepdebug.files import write_file

FORMAT = 2  # of the file; grows with every change that old files do not fit
PACKAGES = ("deepdebug", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One retraining.

    Args:
        arm: "HUDD", "BL1", "BL2" or "entropy".
        run: Its number, from 1.
        seed: Of everything random in it.
        fingerprint: A hash of everything that it depends on.
        start: A hash of the weights that it began with.
        labels: Images of the improvement set that were labelled for it.
        bag: Images of the bag, some of them several times.
        training: Images of the training set that it was trained on.
        kept_apart: Images by which the epoch was chosen.
        settings: How it was trained, as pairs of label and value.
        versions: Of the packages, by name.
        model: Name of the file of the model; empty for one that diverged.
        best_epoch: The epoch whose weights were kept, from 1; 0 for a retraining that diverged.
        curves: Loss and metrics of every epoch, by name; `None` for a value that is not finite.
        accuracy: Share of the test set that the model gets right; `None` for one that diverged.
        seconds: Time it took.
        findings: Number of findings of `Diagnose` of severity "warn" or worse.
        note: What a reader should know; empty where there is nothing.
    """

    arm: str
    run: int
    seed: int
    fingerprint: str
    start: str
    labels: int
    bag: int
    training: int
    kept_apart: int
    settings: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    model: str
    best_epoch: int
    curves: dict[str, tuple[float | None, ...]]
    accuracy: float | None
    seconds: float
    findings: int
    note: str

    @property
    def name(self) -> str:
        """What the run is called, such as "HUDD_03"."""
        return run_name(self.arm, self.run)

    @property
    def diverged(self) -> bool:
        """Whether nothing can be used of it."""
        return self.best_epoch == 0


@dataclass(frozen=True, slots=True)
class _File:
    format: int
    record: RunRecord


_FILES = TypeAdapter(_File)


def run_name(arm: str, run: int) -> str:
    """Return what a run is called.

    Args:
        arm: Its arm.
        run: Its number, from 1.
    """
    return f"{arm}_{run:02d}"


def write_record(path: Path, record: RunRecord) -> Path:
    """Write a record, whole or not at all.

    Args:
        path: The JSON file.
        record: Its content.

    Raises:
        UsageError: When it cannot be written.
    """
    content = _FILES.dump_json(_File(FORMAT, record), indent=1) + b"\n"
    return write_file(path, lambda to: to.write_bytes(content), "record of a retraining")


def read_record(path: Path) -> RunRecord | None:
    """Read a record back; `None` where there is none, or one of another version.

    Args:
        path: The file.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        found = _FILES.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    except OSError as error:
        raise UsageError(f"The record {str(path)!r} cannot be read: {error.strerror or error}.") from error
    return found.record if found.format == FORMAT else None


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of the packages that numbers depend on, as far as they are installed."""
    found = []
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)
