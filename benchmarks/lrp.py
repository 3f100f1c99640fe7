"""How fast relevance is: images per second for all layers, beside iNNvestigate and the forward pass alone.

    python -m benchmarks.lrp                                  # the table of the documentation, about 20 minutes
    python -m benchmarks.lrp --networks cnn --repeats 5       # a quick look

Everything runs in one process and takes turns call by call, so that a slow moment of the machine hits all alike.
Compared is, within each round, the time of one engine with that of another; a rule counts with the median of its
rounds.
iNNvestigate must be installed (scripts/install_innvestigate).
"""

from __future__ import annotations

import argparse
import functools
import importlib
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from deepdebug import __version__
from deepdebug.lrp import Composite, Explainer
from deepdebug.lrp.innvestigate import InnvestigateExplainer
from deepdebug.lrp.rules import AlphaBeta, Epsilon
from deepdebug.model import backend

SEED = 2
RULES: Mapping[str, str | Composite] = {
    "epsilon": Composite(Epsilon(1e-2), Epsilon(1e-2)),
    "alpha1beta0": Composite(AlphaBeta(1.0, 0.0), AlphaBeta(1.0, 0.0)),
    "preset-a": "preset-a",
    "z-plus": "z-plus",
}
BATCHES = (32, 128)
REPEATS = {"cnn": 15, "vgg16": 3}  # a round of the large network takes about a minute


def cnn() -> keras.Model:
    """Build the small network: four convolutions and two dense layers on 64 x 64 x 1."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((64, 64, 1)),
            *(
                layer
                for filters in (16, 32, 32, 64)
                for layer in (layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D())
            ),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(64, activation="relu"),
            layers.Dense(8, activation="softmax"),
        ]
    )


def vgg16() -> keras.Model:
    """Build VGG16 for images of 128 x 128 x 3, with random weights."""
    return keras.applications.VGG16(weights=None, input_shape=(128, 128, 3), classes=10)


NETWORKS: Mapping[str, Callable[[], keras.Model]] = {"cnn": cnn, "vgg16": vgg16}


@dataclass(frozen=True, slots=True)
class Row:
    """One rule on one network at one batch size.

    Args:
        network: Name of the network.
        batch: Rows per call.
        rule: Name of the rule.
        native: Images per second of our engine, one per round.
        innvestigate: Of iNNvestigate, likewise.
        forward: Of the forward pass alone, likewise.
        gradient: Of a forward pass and the backend's own gradient of the scores, which is the least that relevance
            can cost, likewise.
    """

    network: str
    batch: int
    rule: str
    native: list[float]
    innvestigate: list[float]
    forward: list[float]
    gradient: list[float]

    @property
    def gain(self) -> float:
        """Median over the rounds of our images per second divided by iNNvestigate's."""
        return float(np.median(np.array(self.native) / np.array(self.innvestigate)))

    @property
    def cost(self) -> float:
        """Median over the rounds of our time divided by that of the forward pass."""
        return float(np.median(np.array(self.forward) / np.array(self.native)))

    @property
    def least(self) -> float:
        """Median over the rounds of the gradient's time divided by that of the forward pass."""
        return float(np.median(np.array(self.forward) / np.array(self.gradient)))


def measure(network: str, batch: int, repeats: int, tick: Callable[[], None]) -> list[Row]:
    """Time every rule on one network at one batch size.

    Args:
        network: A key of `NETWORKS`.
        batch: Rows per call.
        repeats: Rounds; each calls everything once.
        tick: Called after each round.
    """
    keras.utils.set_random_seed(SEED)
    model = NETWORKS[network]()
    x = np.random.default_rng(SEED).random((batch, *model.input_shape[1:]), dtype="float32")
    gradient, rows = _gradient(model), []
    for rule, composite in RULES.items():
        calls: dict[str, Callable[[], Any]] = {
            "forward": functools.partial(model.predict_on_batch, x),
            "gradient": functools.partial(gradient, x),
            "native": functools.partial(Explainer(model, composite=composite), x),
            "innvestigate": functools.partial(InnvestigateExplainer(model, composite=composite).arrays, x),
        }
        for call in calls.values():  # the first call compiles
            call()
        speeds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(repeats):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                speeds[name].append(batch / (time.perf_counter() - start))
            tick()
        rows.append(Row(network, batch, rule, **speeds))
    return rows


def _gradient(model: keras.Model) -> Callable[[Any], Any]:
    """Return a compiled forward pass and gradient of all outputs with respect to the inputs."""

    def function(weights: Any, x: Any) -> Any:
        def call(one: Any) -> Any:
            with keras.StatelessScope(state_mapping=list(zip(model.variables, weights, strict=True))):
                return model(one, training=False)

        outputs, back = backend.current().linearized(call, x)
        return back(keras.ops.ones_like(outputs))

    compiled = backend.current().compile_function(function)
    weights = backend.current().values(model.variables)
    return lambda x: keras.ops.convert_to_numpy(compiled(weights, keras.ops.convert_to_tensor(x)))


def table(rows: list[Row]) -> Table:
    """Return the figures as a table."""
    shown = Table("network", "batch", "rule", "deepdebug", "iNNvestigate", "forward", "gain", "time / forward", "least")
    for row in rows:
        speeds = (f"{np.median(one):,.0f}" for one in (row.native, row.innvestigate, row.forward))
        spread = np.quantile(np.array(row.native) / np.array(row.innvestigate), [0.25, 0.75])
        gain = f"{row.gain:.2f} ({spread[0]:.2f} to {spread[1]:.2f})"
        shown.add_row(row.network, str(row.batch), row.rule, *speeds, gain, f"{row.cost:.2f}", f"{row.least:.2f}")
    return shown


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--batches", nargs="+", type=int, default=list(BATCHES))
    parser.add_argument("--repeats", type=int, help="rounds of every rule (default: 15, and 3 for vgg16)")
    parser.add_argument("--out", type=Path, help="JSON file to write (default: none)")
    arguments = parser.parse_args()
    rows: list[Row] = []
    versions = _versions()
    cases = list(itertools.product(arguments.networks, arguments.batches))
    with Progress(console=Console(stderr=True)) as progress:
        rounds = {network: arguments.repeats or REPEATS[network] for network in arguments.networks}
        task = progress.add_task("measuring", total=len(RULES) * sum(rounds[network] for network, _ in cases))
        for network, batch in cases:
            rows += measure(network, batch, rounds[network], lambda: progress.advance(task))
    console = Console(width=120)
    console.print(table(rows))
    console.print(
        "Images per second, medians; gain: median of the rounds' ratios (quartiles); least: forward pass and gradient, "
        "divided by the forward pass."
    )
    if arguments.out:
        arguments.out.write_text(json.dumps(_as_record(rows, versions), indent=1) + "\n")
        console.print(f"Written to {arguments.out}")


def _as_record(rows: list[Row], versions: Mapping[str, str]) -> dict[str, Any]:
    return {
        "backend": keras.backend.backend(),
        "versions": dict(versions),
        "cores": psutil.cpu_count(),
        "seed": SEED,
        "rows": [asdict(row) | {"gain": row.gain, "time_over_forward": row.cost, "least": row.least} for row in rows],
    }


def _versions() -> dict[str, str]:
    backend_module = importlib.import_module(keras.backend.backend())
    named = {name: version(name) for name in ("keras", "numpy", "tf_keras", "innvestigate")}
    return {"deepdebug": __version__, **named, keras.backend.backend(): str(backend_module.__version__)}


if __name__ == "__main__":
    main()
