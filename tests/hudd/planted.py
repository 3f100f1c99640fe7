"""Images with known causes, and clouds without any.

`heatmaps` follows the generator behind the table of faults of the published tool: 8 clusters of 2,048 values, N = 400,
each image's relevance being a pattern times the explained score.

    x = score * (0.4 shared + 0.5 own + 0.7 noise) / values
    score = exp(sigma * normal), one per image: conservation makes the size of a heatmap the score of the image
    shared = gamma(0.5), one per value: what every image of the class shows
    own = +-gamma(0.5), one per value and cluster: what the cause adds
    noise = normal, one per value and image
    sizes grow by the factor `imbalance` from cluster to cluster

The three factors were set once so that the published path scored like that table; the scores they give are in
`test_check_17_the_default_finds_what_the_published_path_misses`.
"""

import numpy as np


def sizes(n, k, imbalance=1.0):
    weights = float(imbalance) ** np.arange(k)
    found = np.maximum(1, np.round(n * weights / weights.sum()).astype(int))
    found[-1] += n - found.sum()
    return found


def _labels(random, n, k, imbalance):
    labels = np.repeat(np.arange(k), sizes(n, k, imbalance))
    random.shuffle(labels)
    return labels


def heatmaps(seed, n=400, dims=2048, *, k=8, imbalance=1.5, sigma=0.6):
    random = np.random.default_rng(seed)
    labels = _labels(random, n, k, imbalance)
    shared = random.gamma(0.5, 1.0, dims)
    own = random.gamma(0.5, 1.0, (k, dims)) * random.choice([-1.0, 1.0], (k, dims))
    maps = 0.4 * shared + 0.5 * own[labels] + 0.7 * random.normal(size=(n, dims))
    scores = np.exp(sigma * random.normal(size=(n, 1)))
    return (scores * maps / dims).astype(np.float32), labels


def blobs(seed, n, dims, *, k, apart, imbalance=1.0, stretched=False, tails=False):
    """Gaussian clouds of unit variance whose centres are about `apart` from each other."""
    random = np.random.default_rng(seed)
    labels = _labels(random, n, k, imbalance)
    centres = random.normal(size=(k, dims))
    centres *= apart / np.sqrt(2) / np.linalg.norm(centres, axis=1, keepdims=True)
    noise = random.normal(size=(n, dims))
    if stretched:
        noise *= np.exp(0.5 * random.normal(size=(k, dims)))[labels]
    if tails:
        noise /= np.sqrt(random.chisquare(5, size=(n, 1)) / 5)
    return centres[labels] + noise, labels


def shuffled(vectors, seed):
    """Every value shuffled among the images by itself: same values, nothing in common any more."""
    random = np.random.default_rng([seed, 3])
    return np.column_stack([random.permutation(column) for column in vectors.T])


def _one_map(random, n, sigma=0.6):
    shared = random.gamma(0.5, 1.0, 512)
    return np.exp(sigma * random.normal(size=(n, 1))) * (shared + 0.7 * random.normal(size=(n, 512)))


# Clouds without clusters, by name: functions of a random generator and the number of images.
CLOUDS = {
    "normal-2": lambda random, n: random.normal(size=(n, 2)),
    "normal-10": lambda random, n: random.normal(size=(n, 10)),
    "normal-512": lambda random, n: random.normal(size=(n, 512)),
    "spectrum-100": lambda random, n: random.normal(size=(n, 100)) / np.arange(1, 101),
    "cube-2": lambda random, n: random.uniform(size=(n, 2)),
    "cube-10": lambda random, n: random.uniform(size=(n, 10)),
    "student5-20": lambda random, n: random.normal(size=(n, 20)) / np.sqrt(random.chisquare(5, size=(n, 1)) / 5),
    "student2-20": lambda random, n: random.normal(size=(n, 20)) / np.sqrt(random.chisquare(2, size=(n, 1)) / 2),
    "lognormal-20": lambda random, n: np.exp(0.7 * random.normal(size=(n, 20))),
    "lognormal-10": lambda random, n: np.exp(1.2 * random.normal(size=(n, 10))),
    "exponential-5": lambda random, n: random.exponential(size=(n, 5)),
    "two-scales-30": lambda random, n: random.normal(size=(n, 30)) * np.where(random.random((n, 1)) < 0.2, 3.0, 1.0),
    "factors-300": lambda random, n: (
        2 * random.normal(size=(n, 3)) @ random.normal(size=(3, 300)) + random.normal(size=(n, 300))
    ),
    "skewed-factors-300": lambda random, n: (
        np.exp(random.normal(size=(n, 3))) @ random.normal(size=(3, 300)) + 0.3 * random.normal(size=(n, 300))
    ),
    "one-map-512": _one_map,
    "one-map-wide-512": lambda random, n: _one_map(random, n, 1.0),
}


def _ring(random, n):
    angle = random.uniform(0, 2 * np.pi, n)
    return np.column_stack([np.cos(angle), np.sin(angle), *(0.1 * random.normal(size=(8, n)))])


# What has valleys but no clusters, by name.
LIMITS = {
    "ring-10": _ring,
    "grid-10": lambda random, n: shuffled(
        blobs(int(random.integers(1000)), n, 10, k=3, apart=8)[0], int(random.integers(1000))
    ),
}
# Planted clusters, by name: functions of a seed and the number of images. Relevance comes as raw heatmaps.
PLANTED = {
    "blobs-3-of-10": lambda seed, n: blobs(seed, n, 10, k=3, apart=6),
    "blobs-2-of-50": lambda seed, n: blobs(seed, n, 50, k=2, apart=7),
    "blobs-8-of-50": lambda seed, n: blobs(seed, n, 50, k=8, apart=8),
    "blobs-8-of-50-imbalanced": lambda seed, n: blobs(seed, n, 50, k=8, apart=8, imbalance=1.5),
    "blobs-12-of-512": lambda seed, n: blobs(seed, n, 512, k=12, apart=12),
    "blobs-5-of-50-stretched": lambda seed, n: blobs(seed, n, 50, k=5, apart=9, imbalance=1.2, stretched=True),
    "blobs-5-of-20-tails": lambda seed, n: blobs(seed, n, 20, k=5, apart=8, imbalance=1.2, tails=True),
    "heatmaps-8-of-512": lambda seed, n: heatmaps(seed, n, 512),
}
