"""Rows to train on, small enough for a second."""

import numpy as np

ROWS = 320
DRAW = np.random.RandomState(0)
X = DRAW.normal(size=(ROWS, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] + 0.1 * DRAW.normal(size=ROWS) > 0).astype("float32")
TARGETS = (X[:, 0] * X[:, 1] + 0.5 * X[:, 2]).astype("float32")
WORDS = DRAW.randint(1, 20, (ROWS, 6)) * (np.arange(6) < DRAW.randint(3, 7, (ROWS, 1)))
SEQUENCES = DRAW.normal(size=(ROWS, 6, 2)).astype("float32")
SUMS = SEQUENCES.sum(axis=(1, 2)) / 3
MANY = DRAW.normal(size=(1500, 4)).astype("float32")
RARE = (MANY[:, 0] + 1.5 * DRAW.normal(size=1500) > 2.5).astype("float32")
PLAIN = (X @ np.array([1.0, -0.5, 0.25, 0.0]) + 0.3 * DRAW.normal(size=ROWS)).astype("float32")
COPIED = (X[:, [0, 1, 0, 0]] + 0.1 * DRAW.normal(size=X.shape)).astype("float32")
NOISE = DRAW.normal(size=ROWS)
NOISY = (PLAIN + NOISE).astype("float32")
BY_CLASS, BY_FEATURE, BY_NOISE = (np.argsort(key, kind="stable") for key in (Y, X[:, 0], np.abs(NOISE)))
