"""A map of all failures on which near images are near."""

from __future__ import annotations

import numpy as np

from deepdebug.hudd.rows import Floats
from deepdebug.hudd.silhouettes import sample
from deepdebug.hudd.space import Space

FEWEST = 5  # with fewer images a map says nothing
LANDMARKS = 2000  # images that are laid out; each of the others is put beside the nearest of them
PERPLEXITY = 30.0  # about how many images count as near (van der Maaten and Hinton, JMLR 2008)


def plane(space: Space, seed: int = 0) -> Floats:
    """Lay the images out on a plane by t-SNE (van der Maaten and Hinton, JMLR 2008).

    It begins with classical scaling, so that far groups stay far, and runs in one thread, so that the same distances
    give the same map.

    Args:
        space: Where the images lie to each other.
        seed: Of the choice of landmarks and of t-SNE. Defaults to 0.

    Returns:
        Array of shape (N, 2), values from -1 to 1; of shape (0, 2) for fewer than five images.
    """
    if space.num_images < FEWEST:
        return np.zeros((0, 2))
    chosen = sample(space.num_images, LANDMARKS, seed)
    laid_out = _layout(space.square(chosen), seed)
    places = laid_out if len(chosen) == space.num_images else laid_out[space.nearest(chosen)]
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    return places / max(float(np.abs(places).max()), 1e-12)


def _layout(distances: Floats, seed: int) -> Floats:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = _scaled(distances)
    if not np.abs(start).max() > 0:  # all images are equal
        return start
    perplexity = min(PERPLEXITY, (len(distances) - 1) / 3)
    tsne = TSNE(metric="precomputed", init=start.astype(np.float32), perplexity=perplexity, random_state=seed, n_jobs=1)
    with threadpool_limits(1):
        found: Floats = tsne.fit_transform(distances).astype(np.float64)
    return found


def _scaled(distances: Floats) -> Floats:
    """Return classical scaling to two dimensions (Torgerson 1952), of standard deviation 1e-4 as t-SNE wants it."""
    squared = distances**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-0.5 * centred)
    first = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0.0))
    first *= np.where(first[np.abs(first).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)  # the sign is free; fix it
    spread = first[:, 0].std()
    found: Floats = first / spread * 1e-4 if spread > 0 else first
    return found
