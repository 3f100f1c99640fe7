"""Other ways to cluster the same images, behind the same call.

A slicer takes short vectors of all images (see `sketch`), a number of clusters and a seed. By default the tree is cut
("hierarchy"), which needs none of these. scikit-learn is slow to import, so it is where it is used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.linkage import Labels, by_size
from deepdebug.hudd.notes import Note
from deepdebug.hudd.rows import Floats


@dataclass(frozen=True, slots=True)
class Sliced:
    """What a slicer found.

    Args:
        groups: Array of shape (N,): the number of every image's cluster; -1 for an image in none.
        notes: What the reader should know. Defaults to nothing.
    """

    groups: npt.NDArray[Any]
    notes: tuple[Note, ...] = field(default=())


FEWEST_FOR_UMAP = 10

Slicer = Callable[[Floats, int, int], Sliced]


def kmeans(points: Floats, k: int, seed: int) -> Sliced:
    """Cluster with k-means, the best of ten starts.

    Args:
        points: Array of shape (N, values).
        k: Number of clusters.
        seed: Of the starts.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Raised where there are fewer different points than clusters; fewer clusters come out, which is what we want.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Sliced(KMeans(k, n_init=10, random_state=seed).fit_predict(points))


def random_clusters(points: Floats, k: int, seed: int) -> Sliced:
    """Put every image into any cluster: what every other way must beat.

    Args:
        points: Array of shape (N, values); only their number counts.
        k: Number of clusters.
        seed: Of the draw.
    """
    return Sliced(np.random.default_rng(seed).integers(0, k, len(points)))


def umap_hdbscan(points: Floats, k: int, seed: int) -> Sliced:
    """Cluster with UMAP and HDBSCAN, which decides on the number of clusters itself.

    The best of 99 pipelines of Attaoui et al., "Supporting Safety Analysis of Image-processing DNNs through
    Clustering-based Approaches" (arXiv 2301.13506), were UMAP and DBSCAN on features of a pretrained model; HDBSCAN
    spares the radius. Neighbours 15 and distance 0 are what UMAP's manual advises for clustering.

    Args:
        points: Array of shape (N, values); fewer than 10 are one cluster.
        k: Not used.
        seed: Of UMAP.

    Raises:
        UsageError: When umap-learn is not installed.
    """
    from sklearn.cluster import HDBSCAN

    count = len(points)
    with warnings.catch_warnings():
        # That TensorFlow is missing, that a fixed seed keeps it to one thread, and what numba has to say.
        warnings.simplefilter("ignore")
        try:
            import umap
        except ImportError as error:
            raise UsageError(
                "The slicer 'umap-hdbscan' needs the package umap-learn, which is not installed. Run "
                "`pip install deepdebug[features]`, or choose another slicer."
            ) from error
        if count < FEWEST_FOR_UMAP:
            text = f"{count} images are too few for UMAP, which needs {FEWEST_FOR_UMAP}; they are one cluster."
            return Sliced(np.zeros(count, np.intp), (Note("too-few-images", text),))
        reducer = umap.UMAP(
            n_components=min(10, count - 2), n_neighbors=min(15, count - 1), min_dist=0.0, random_state=seed, init="pca"
        )
        reduced = reducer.fit_transform(points)
    groups = HDBSCAN(min_cluster_size=max(5, count // 50), copy=True).fit_predict(reduced)
    alone = int(np.count_nonzero(groups < 0))
    notes = (Note("in-no-cluster", f"HDBSCAN left {alone} of {count} images in no cluster; they have label -1."),)
    return Sliced(groups, notes if alone else ())


def domino(expected: npt.ArrayLike, predicted: npt.ArrayLike, weight: float = 10.0, components: int = 128) -> Slicer:
    """Return a slicer after Domino: a mixture over features, expected and predicted classes.

    Eyuboglu et al., "Domino: discovering systematic errors with cross-modal embeddings", ICLR 2022: principal
    components of an embedding, a mixture in which the classes weigh 10 times as much. Here one Gaussian mixture with
    diagonal covariances stands for theirs, which has categorical classes: the classes enter as one-hot vectors times
    the root of the weight.

    Args:
        expected: Classes of N images, of shape (N,).
        predicted: The model's answers, of shape (N,).
        weight: Of the classes. Defaults to 10.
        components: Largest number of principal components. Defaults to 128.
    """
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    classes = np.concatenate([_one_hot(expected), _one_hot(predicted)], axis=1)

    def sliced(points: Floats, k: int, seed: int) -> Sliced:
        if len(points) != len(classes):
            raise UsageError(f"Domino got classes of {len(classes)} images for {len(points)}; expected one per image.")
        kept = min(components, len(points) - 1, points.shape[1])
        reduced = PCA(kept, random_state=seed).fit_transform(np.asarray(points, np.float64))
        reduced /= max(float(reduced.std(axis=0).max()), np.finfo(float).tiny)
        joined = np.concatenate([reduced, np.sqrt(weight) * classes], axis=1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            mixture = GaussianMixture(k, covariance_type="diag", reg_covar=1e-3, n_init=3, random_state=seed)
            groups = mixture.fit_predict(joined)
        text = "The mixture had not settled when its rounds were used up."
        return Sliced(groups, (Note("mixture-unsettled", text, warning=True),) if caught else ())

    return sliced


def _one_hot(classes: npt.ArrayLike) -> npt.NDArray[np.float64]:
    known, place = np.unique(np.asarray(classes), return_inverse=True)
    return np.eye(len(known))[place]


SLICERS: dict[str, Slicer] = {"kmeans": kmeans, "umap-hdbscan": umap_hdbscan, "random": random_clusters}


def slicer_of(which: str | Slicer) -> Slicer | None:
    """Return the slicer of a name; `None` for "hierarchy".

    Raises:
        UsageError: When there is none of that name.
    """
    if callable(which):
        return which
    if which == "hierarchy":
        return None
    if which not in SLICERS:
        names = ", ".join(map(repr, ("hierarchy", *SLICERS)))
        raise UsageError(
            f"`slicer` is {which!r}; expected one of {names}, or a function such as `domino(expected, predicted)`."
        )
    return SLICERS[which]


def renumbered(groups: npt.NDArray[Any]) -> Labels:
    """Return labels by size for group numbers of which negative ones stand for no cluster.

    >>> renumbered(np.array([5, -1, 8, 8])).tolist()
    [1, -1, 0, 0]
    """
    labels = np.full(len(groups), -1, np.intp)
    inside = np.asarray(groups) >= 0
    labels[inside] = by_size(np.asarray(groups)[inside])
    return labels
