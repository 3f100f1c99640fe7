"""Distances of one shard of images to the clusters, done in a process that needs no Keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepdebug.retraining.nearness import nearness
from deepdebug.retraining.shards import read_arrays, read_shard, write_shard


@dataclass(frozen=True, slots=True)
class NearJob:
    """A shard that is to be compared with the clusters.

    Args:
        seen: What was seen of it.
        members: The failures.
        labels: The cluster of each, from 0; -1 for none.
        file: Where the result goes.
        looked: Fingerprint of what was seen.
        fingerprint: Of everything that the result depends on.
    """

    seen: Path
    members: Path
    labels: tuple[int, ...]
    file: Path
    looked: str
    fingerprint: str


def compare_shard(job: NearJob) -> None:
    """Compare one shard with the clusters and write the distances."""
    members = read_arrays(job.members)["members"]
    near = nearness(read_shard(job.seen, job.looked)["vectors"], members, np.array(job.labels))
    arrays = {"least": near.least, "mean": near.mean, "centre": near.centre}
    spreads = np.array([(one.size, one.radius, one.distance, one.squares) for one in near.spreads])
    write_shard(job.file, {**arrays, "spreads": spreads}, job.fingerprint)
