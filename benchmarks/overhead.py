"""What watching costs: seconds per epoch with and without `Diagnose`, beside two callbacks of Keras.

    python -m benchmarks.overhead                       # the table of the documentation, about 8 minutes
    python -m benchmarks.overhead --repeats 1 --long 0  # a quick look

The trainings of one repeat run in one process and take turns epoch by epoch, so that a slow moment of the machine hits
them alike. Compared is, within each round, the epoch of a callback with the epoch without one; the first epoch, which
compiles, gives the set-up cost. A repeat counts with the median of its rounds.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sklearn.datasets import load_digits, make_blobs

from benchmarks.turns import Turn, in_turns
from deepdebug import Diagnose, __version__

SEED = 2
BATCH = 32
Data = tuple[npt.NDArray[Any], npt.NDArray[Any]]
CALLBACKS: Mapping[str, Callable[[str], list[keras.callbacks.Callback]]] = {
    "none": lambda _: [],
    "Diagnose()": lambda _: [Diagnose(verbose=0)],
    "TerminateOnNaN()": lambda _: [keras.callbacks.TerminateOnNaN()],
    "TensorBoard(histogram_freq=1)": lambda folder: [keras.callbacks.TensorBoard(folder, histogram_freq=1)],
}


@dataclass(frozen=True, slots=True)
class Work:
    """One training.

    Args:
        name: Name in the table.
        build: Builds and compiles the model.
        data: Inputs and labels.
        epochs: Epochs of one `fit`.
    """

    name: str
    build: Callable[[], keras.Model]
    data: Data
    epochs: int


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes how long each epoch took and how much memory was in use then; must stand last in the list of callbacks.

    Args:
        turn: Given away after each epoch, which does not count as time of the next one.
    """

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn
        self._start = time.perf_counter()
        self.seconds: list[float] = []  # of each epoch; the first one holds everything since the clock was made
        self.resident: list[float] = []  # megabytes

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note time and memory, and let the others run an epoch."""
        self.seconds.append(time.perf_counter() - self._start)
        self.resident.append(psutil.Process().memory_info().rss / 2**20)
        self._turn.hand_over()
        self._turn.wait()
        self._start = time.perf_counter()


def mlp() -> keras.Model:
    """Build the small network of the blobs."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def cnn() -> keras.Model:
    """Build the small convolutional network of the images."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def blobs() -> Data:
    """Return 1000 standardised points of three clusters."""
    x, y = make_blobs(1000, centers=3, n_features=2, cluster_std=2.0, random_state=SEED)
    return ((x - x.mean(0)) / x.std(0)).astype("float32"), y


def images(rows: int) -> Data:
    """Return scikit-learn's digits enlarged to 28 x 28, drawn with replacement and with noise, so that none repeats."""
    random = np.random.default_rng(SEED)
    digits = load_digits()
    chosen = random.integers(0, len(digits.images), rows)
    large = np.pad(np.kron(digits.images[chosen] / 16, np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2)))
    noisy = large + random.normal(scale=0.02, size=large.shape)
    return noisy[..., None].astype("float32"), digits.target[chosen]


def run(work: Work, names: Sequence[str], epochs: int | None = None) -> list[Clock]:
    """Train once under each of the callbacks, in turns, and return their clocks."""
    keras.backend.clear_session()
    gc.collect()
    return in_turns([functools.partial(_train, work, name, epochs or work.epochs) for name in names])


def _train(work: Work, name: str, epochs: int, turn: Turn) -> Clock:
    keras.utils.set_random_seed(SEED)
    model = work.build()
    with tempfile.TemporaryDirectory() as folder:
        callbacks = CALLBACKS[name](folder)
        clock = Clock(turn)
        model.fit(*work.data, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[*callbacks, clock])
    return clock


@dataclass(frozen=True, slots=True)
class Row:
    """One callback on one training.

    Args:
        work: Name of the training.
        callback: The callback.
        seconds: Median seconds per epoch, one per repeat.
        ratios: Median over the rounds of the epoch's time divided by that without a callback, one per repeat.
        added: Median over the rounds of the milliseconds beyond those without a callback, one per repeat.
        setup: Seconds of the first epoch beyond those without a callback, one per repeat.
    """

    work: str
    callback: str
    seconds: list[float]
    ratios: list[float]
    added: list[float]
    setup: list[float]


def compare(work: Work, repeats: int, progress: Progress) -> list[Row]:
    """Train with every callback in turns, `repeats` times; which one begins changes."""
    names, repeated = list(CALLBACKS), []
    run(work, names[:1], epochs=2)  # the first training of a process pays for loading
    for repeat in progress.track(range(repeats), description=work.name):
        first = repeat % len(names)
        order = names[first:] + names[:first]
        repeated.append(dict(zip(order, run(work, order), strict=True)))
    return [_row(work.name, name, repeated) for name in names]


def _row(work: str, name: str, repeated: Sequence[Mapping[str, Clock]]) -> Row:
    pairs = [(np.array(clocks[name].seconds), np.array(clocks["none"].seconds)) for clocks in repeated]
    return Row(
        work,
        name,
        seconds=[float(np.median(watched[1:])) for watched, _ in pairs],
        ratios=[float(np.median(watched[1:] / plain[1:])) for watched, plain in pairs],
        added=[float(1000 * np.median(watched[1:] - plain[1:])) for watched, plain in pairs],
        setup=[float(watched[0] - plain[0]) for watched, plain in pairs],
    )


@dataclass(frozen=True, slots=True)
class LongRun:
    """A long training, to see whether cost or memory grow.

    Args:
        epochs: Number of epochs.
        early: Median milliseconds added per epoch, epochs 6 to 25.
        late: Median milliseconds added per epoch, last 20 epochs.
        growth: Megabytes of resident memory from epoch 10 to the last, in a training by itself.
        growth_plain: The same without a callback.
    """

    epochs: int
    early: float
    late: float
    growth: float
    growth_plain: float


def long_run(work: Work, epochs: int) -> LongRun:
    """Train for many epochs, with `Diagnose` and without: in turns for the time, one after the other for memory."""
    plain, watched = run(work, ["none", "Diagnose()"], epochs)
    added = 1000 * (np.array(watched.seconds) - np.array(plain.seconds))

    def growth(name: str) -> float:
        (clock,) = run(work, [name], epochs)
        return clock.resident[-1] - clock.resident[min(9, epochs - 1)]

    return LongRun(
        epochs,
        early=float(np.median(added[5:25])),
        late=float(np.median(added[-20:])),
        growth_plain=growth("none"),
        growth=growth("Diagnose()"),
    )


def show(rows: Sequence[Row], long: LongRun | None, console: Console) -> None:
    """Print the results."""
    for work in dict.fromkeys(row.work for row in rows):
        console.print(_table(work, [row for row in rows if row.work == work]))
    if long is not None:
        console.print(
            f"Diagnose() over {long.epochs} epochs of the MLP: {long.early:.1f} ms added per epoch around epoch 10, "
            f"{long.late:.1f} ms at the end; memory grew by {long.growth:.1f} MB ({long.growth_plain:.1f} MB without)."
        )


def _table(work: str, rows: Sequence[Row]) -> Table:
    table = Table(title=f"{work}: median (range) over the repeats")
    for column in ("callback", "s per epoch", "ratio to none", "added ms", "set-up s"):
        table.add_column(column, justify="left" if column == "callback" else "right", no_wrap=column == "callback")
    for row in rows:
        table.add_row(
            row.callback, _spread(row.seconds, 4), _spread(row.ratios, 3), _spread(row.added, 1), _spread(row.setup, 2)
        )
    return table


def _spread(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often every callback is run (default 5)")
    parser.add_argument("--epochs", type=int, default=30, help="epochs of each training (default 30)")
    parser.add_argument("--rows", type=int, default=5000, help="images of the CNN (default 5000)")
    parser.add_argument("--long", type=int, default=300, help="epochs of the long run; 0 leaves it out (default 300)")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args(arguments)
    console = Console(width=120)
    works = (
        Work("MLP, 1000 x 2 blobs", mlp, blobs(), options.epochs),
        Work(f"CNN, {options.rows} images", cnn, images(options.rows), options.epochs),
    )
    with Progress(console=Console(stderr=True), transient=True) as progress:
        rows = [row for work in works for row in compare(work, options.repeats, progress)]
        long = long_run(works[0], options.long) if options.long else None
    show(rows, long, console)
    if options.json is not None:
        packages = {"deepdebug": __version__, "keras": keras.__version__, "numpy": np.__version__}
        backend = keras.config.backend()
        found = {"backend": backend, "versions": packages, "seed": SEED, "batch_size": BATCH}
        found |= {"rows": [asdict(row) for row in rows], "long": asdict(long) if long else None}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
