"""The manifest: one row per model, with its label, its settings and what four published tools said of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

FOLDER = Path(__file__).resolve().parent
MANIFEST, ARCHITECTURES = FOLDER / "manifest.csv", FOLDER / "architectures.json"
TOOLS = ("deepdiagnosis", "deeplocalize", "umlaut", "autotrainer")
SILENT = "none"  # what a tool's column holds where it reported nothing; empty: nothing is published
OPTIONS = "optimizer_options"


@dataclass(frozen=True, slots=True)
class Row:
    """One model.

    Args:
        id: Its name; the published artefact's, behind the data set's.
        source: "autotrainer".
        dataset: "Blob", "Circle", "MNIST" or "CIFAR".
        group: The published label: "buggy" or "normal".
        kind: What was made faulty or drawn at random: "model" (structure made faulty), "model_random" (random
            structure, default settings), "config_random" (random settings) or "double_random" (both).
        fidelity: How much is known of the settings: "exact", "default" (documented or inferred defaults) or "stand-in"
            (lost, redrawn by us from a grid).
        structure: The same of the layers: "exact", "inferred" (from layer numbers in published logs) or "stand-in".
        architecture: Key in `architectures.json`.
        loss: Keras's name of the loss.
        optimizer: Keras's class of the optimizer.
        learning_rate: Its learning rate.
        optimizer_options: Its further options.
        batch_size: Rows of an update.
        epochs: Epochs of the training.
        selected_on_label: Whether a stand-in was redrawn until its outcome matched the label, so that the match says
            nothing.
        deepdiagnosis: The symptom that DeepDiagnosis reported, "none", or "" where nothing is published.
        deeplocalize: The same of DeepLocalize.
        umlaut: The same of UMLAUT.
        autotrainer: The same of AUTOTRAINER, which defines the label.
        seed: Seed of weights and order.
    """

    id: str
    source: Literal["autotrainer"]
    dataset: Literal["Blob", "Circle", "MNIST", "CIFAR"]
    group: Literal["buggy", "normal"]
    kind: Literal["model", "model_random", "config_random", "double_random"]
    fidelity: Literal["exact", "default", "stand-in"]
    structure: Literal["exact", "inferred", "stand-in"]
    architecture: str
    loss: str
    optimizer: str
    learning_rate: float
    optimizer_options: Mapping[str, float]
    batch_size: int
    epochs: int
    selected_on_label: bool
    deepdiagnosis: str
    deeplocalize: str
    umlaut: str
    autotrainer: str
    seed: int

    @property
    def is_buggy(self) -> bool:
        """Whether the published label calls it faulty."""
        return self.group == "buggy"

    def published(self, tool: str) -> bool | None:
        """Return whether a published tool flagged it; `None` where that is not known.

        Args:
            tool: One of `TOOLS`.
        """
        said: str = getattr(self, tool)
        return None if not said else said != SILENT


_ROWS = TypeAdapter(tuple[Row, ...])


def read_manifest(path: Path = MANIFEST) -> tuple[Row, ...]:
    """Return all rows.

    Args:
        path: The CSV file. Defaults to that of the benchmark.

    Raises:
        ValueError: When a value is missing or of the wrong kind; the message names row and column.
    """
    with path.open(encoding="utf-8", newline="") as file:
        lines = [{**line, OPTIONS: json.loads(line[OPTIONS] or "{}")} for line in csv.DictReader(file)]
    return _ROWS.validate_python([{**line, "selected_on_label": bool(line["selected_on_label"])} for line in lines])


@cache
def architectures(path: Path = ARCHITECTURES) -> Mapping[str, Any]:
    """Return all architectures: the shape of a row under "input", and pairs of class and arguments under "layers".

    Args:
        path: The JSON file. Defaults to that of the benchmark.
    """
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
