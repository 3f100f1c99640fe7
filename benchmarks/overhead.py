"""What watching costs: seconds per epoch with and without `Diagnose`, beside two callbacks of Keras.

    python -m benchmarks.overhead                       # the table of the documentation, about 4 minutes
    python -m benchmarks.overhead --repeats 2 --long 0  # a quick look

All callbacks run in one process and take turns, so that a slow moment of the machine hits them alike. Within one `fit`
the time of an epoch is the median from the second epoch on (the first one compiles); what is compared are the paired
ratios of the repeats, of which the median and the range are given.
"""

from __future__ import annotations

import argparse
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
    """Notes when each epoch ended and how much memory was in use then; must stand last in the list of callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = [time.perf_counter()]
        self.resident: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note time and memory."""
        self.ends.append(time.perf_counter())
        self.resident.append(psutil.Process().memory_info().rss / 2**20)

    @property
    def seconds(self) -> list[float]:
        """Seconds of each epoch; the first one holds everything since the clock was made."""
        return list(np.diff(self.ends))

    @property
    def steady(self) -> float:
        """Median seconds of the epochs from the second on."""
        return statistics.median(self.seconds[1:])


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


def run(work: Work, callback: str, epochs: int | None = None) -> Clock:
    """Train once and return the clock."""
    keras.utils.set_random_seed(SEED)
    keras.backend.clear_session()
    gc.collect()
    model = work.build()
    with tempfile.TemporaryDirectory() as folder:
        callbacks = CALLBACKS[callback](folder)
        clock = Clock()
        model.fit(*work.data, batch_size=BATCH, epochs=epochs or work.epochs, verbose=0, callbacks=[*callbacks, clock])
    return clock


@dataclass(frozen=True, slots=True)
class Row:
    """One callback on one training.

    Args:
        work: Name of the training.
        callback: The callback.
        seconds: Seconds per epoch, one per repeat.
        ratios: The same divided by those without a callback in the same repeat.
        added: Milliseconds per epoch beyond those without a callback, one per repeat.
        setup: Seconds of the first epoch beyond those without a callback, one per repeat.
    """

    work: str
    callback: str
    seconds: list[float]
    ratios: list[float]
    added: list[float]
    setup: list[float]


def compare(work: Work, repeats: int, progress: Progress) -> list[Row]:
    """Train with every callback in turn, `repeats` times."""
    clocks: dict[str, list[Clock]] = {name: [] for name in CALLBACKS}
    task = progress.add_task(work.name, total=repeats * len(CALLBACKS))
    run(work, "none", epochs=2)  # the first training of a process pays for loading
    for repeat in range(repeats):
        names = list(CALLBACKS)
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            clocks[name].append(run(work, name))
            progress.advance(task)
    return [_row(work.name, name, clocks[name], clocks["none"]) for name in CALLBACKS]


def _row(work: str, callback: str, clocks: Sequence[Clock], plain: Sequence[Clock]) -> Row:
    pairs = list(zip(clocks, plain, strict=True))
    return Row(
        work,
        callback,
        seconds=[clock.steady for clock in clocks],
        ratios=[clock.steady / none.steady for clock, none in pairs],
        added=[1000 * (clock.steady - none.steady) for clock, none in pairs],
        setup=[clock.seconds[0] - none.seconds[0] for clock, none in pairs],
    )


@dataclass(frozen=True, slots=True)
class LongRun:
    """A long training, to see whether cost or memory grow.

    Args:
        epochs: Number of epochs.
        early: Median milliseconds of the epochs 6 to 25.
        late: Median milliseconds of the last 20 epochs.
        early_plain: The same without a callback.
        late_plain: The same without a callback.
        growth: Megabytes of resident memory from epoch 10 to the last.
        growth_plain: The same without a callback.
    """

    epochs: int
    early: float
    late: float
    early_plain: float
    late_plain: float
    growth: float
    growth_plain: float


def long_run(work: Work, epochs: int) -> LongRun:
    """Train for many epochs, with `Diagnose` and without."""
    plain, watched = run(work, "none", epochs), run(work, "Diagnose()", epochs)

    def early(clock: Clock) -> float:
        return 1000 * statistics.median(clock.seconds[5:25])

    def late(clock: Clock) -> float:
        return 1000 * statistics.median(clock.seconds[-20:])

    def growth(clock: Clock) -> float:
        return clock.resident[-1] - clock.resident[min(9, epochs - 1)]

    return LongRun(epochs, early(watched), late(watched), early(plain), late(plain), growth(watched), growth(plain))


def show(rows: Sequence[Row], long: LongRun | None, console: Console) -> None:
    """Print the results."""
    for work in dict.fromkeys(row.work for row in rows):
        console.print(_table(work, [row for row in rows if row.work == work]))
    if long is not None:
        console.print(
            f"Diagnose() over {long.epochs} epochs of the MLP: {long.early:.1f} ms per epoch around epoch 10 "
            f"({long.early_plain:.1f} without), {long.late:.1f} ms at the end ({long.late_plain:.1f} without); "
            f"memory grew by {long.growth:.1f} MB ({long.growth_plain:.1f} MB without)."
        )


def _table(work: str, rows: Sequence[Row]) -> Table:
    table = Table(title=f"{work}: median (range) over the repeats")
    for column in ("callback", "s per epoch", "ratio to none", "added ms", "set-up s"):
        table.add_column(column, justify="left" if column == "callback" else "right", no_wrap=True)
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
