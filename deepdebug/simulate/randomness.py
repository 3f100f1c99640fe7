"""Random numbers that depend on nothing but (seed, stream, index, name), so image 7 is the same alone and in a batch.

A generator that is read from front to back would give another image when the images before it are left out. Here each
number is the hash of its own address, computed for all images at once.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.floating]

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio, as in SplitMix64 (Steele et al., OOPSLA 2014)


def image_keys(seed: int, stream: str, index: npt.ArrayLike) -> Keys:
    """Return the address of each image as one number of 64 bits.

    Args:
        seed: The seed of the case.
        stream: Name of the set, such as "TestSet".
        index: Numbers of the images in their set.
    """
    start = _mixed(np.array([(seed & MASK) ^ (zlib.crc32(stream.encode()) << 32)], dtype=np.uint64))
    return _mixed(start + np.atleast_1d(np.asarray(index)).astype(np.uint64) * np.uint64(GOLDEN))


def uniform(keys: Keys, name: str, attempt: int = 0) -> Floats:
    """Return a number in [0, 1) per image.

    Args:
        keys: Of the images.
        name: What the number is for; another name gives an independent number.
        attempt: Counts draws of the same number. Defaults to `0`.
    """
    salt = zlib.crc32(name.encode()) + (attempt << 32)
    mixed = _mixed(keys ^ np.uint64(salt * GOLDEN & MASK))
    return ((mixed >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)).astype(np.float32)


def noise_keys(keys: Keys) -> npt.NDArray[np.uint32]:
    """Return what the pixel noise of each image grows from."""
    return (_mixed(keys ^ np.uint64(0x6E6F697365)) >> np.uint64(32)).astype(np.uint32)


def pixel_noise(keys: npt.NDArray[np.uint32], count: int) -> Floats:
    """Return noise of mean 0 and deviation 1, nearly normal, of shape `(len(keys), count)`.

    Each value is the sum of the four bytes of one hash: bounded by 3.5 deviations and several times as quick as a
    normal generator, which is what lets a core draw thousands of images a second.
    """
    step = (np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x9E3779B9)).astype(np.uint32)
    bits = keys[:, None] ^ step
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):  # the finaliser of MurmurHash3, public domain
        bits ^= bits >> np.uint32(shift)
        if factor > 1:
            bits *= np.uint32(factor)
    pairs = (bits & np.uint32(0x00FF00FF)) + ((bits >> np.uint32(8)) & np.uint32(0x00FF00FF))
    total = (pairs & np.uint32(0xFFFF)) + (pairs >> np.uint32(16))
    deviation = (4 * (256**2 - 1) / 12) ** 0.5
    noise = total.astype(np.float32)
    noise -= np.float32(510.0)
    noise *= np.float32(1 / deviation)
    return noise


def _mixed(values: Keys) -> Keys:
    """Return a hash of each number: SplitMix64's output function."""
    mixed = values + np.uint64(GOLDEN)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
