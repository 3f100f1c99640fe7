"""The manifest: one row per model, with its label, its settings and what four published tools said of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

FOLDER = Path(__file__).resolve().parent
MANIFEST, ARCHITECTURES = FOLDER / "manifest.csv", FOLDER / "architectures.json"
PROGRAMS = FOLDER / "programs.json"
TOOLS = ("deepdiagnosis", "deeplocalize", "umlaut", "autotrainer")
SILENT = "none"  # what a tool's column holds where it reported nothing; empty: nothing is published
OPTIONS = "optimizer_options"


@dataclass(frozen=True, slots=True)
class Row:
    """One model.

    Args:
        id: Its name; of a program "SO" and the number of the question, "GH" or "UM" and the number in the table.
        source: Where it comes from: "autotrainer", "stackoverflow", "github" or "umlaut".
        dataset: The data set, "real-world" for all programs.
        data: Name of the recipe of its data.
        prepared: What it does to them, see `preparing`.
        group: The published label: "buggy" or "normal".
        kind: What was made faulty or drawn at random: "model" (structure made faulty), "model_random" (random
            structure, default settings), "config_random" (random settings) or "double_random" (both); or "program".
        fidelity: How much is known of the settings, and of the data of a program: "exact", "default" (documented or
            inferred defaults) or "stand-in" (lost; redrawn by us).
        structure: The same of the layers: "exact", "inferred" (from layer numbers in published logs) or "stand-in".
        architecture: Key in `architectures.json`.
        loss: Keras's name of the loss.
        optimizer: Keras's class of the optimizer.
        learning_rate: Its learning rate.
        decay: Of the learning rate by inverse time, as Keras 2 had it; 0 for none.
        optimizer_options: Its further options.
        batch_size: Rows of an update; 0 for all.
        epochs: Epochs of the training.
        metrics: Names of the metrics.
        selected_on_label: Whether a stand-in was redrawn until its outcome matched the label, so that the match says
            nothing.
        expected_symptoms: What a program is expected to show, in words; empty where nobody has said.
        deepdiagnosis: What DeepDiagnosis reported: the symptom, or of a program what it got right (IB the bug, FL its
            place, FS the symptom, LF the place of the fix); "none" where it reported nothing, "" where nothing is
            published.
        deeplocalize: The same of DeepLocalize.
        umlaut: The same of UMLAUT.
        autotrainer: The same of AUTOTRAINER, which defines the label of its own models.
        seed: Seed of weights and order.
        time_limit: Seconds after which it is given up.
    """

    id: str
    source: Literal["autotrainer", "stackoverflow", "github", "umlaut"]
    dataset: Literal["Blob", "Circle", "MNIST", "CIFAR", "real-world"]
    data: str
    prepared: tuple[str, ...]
    group: Literal["buggy", "normal"]
    kind: Literal["model", "model_random", "config_random", "double_random", "program"]
    fidelity: Literal["exact", "default", "stand-in"]
    structure: Literal["exact", "inferred", "stand-in"]
    architecture: str
    loss: str
    optimizer: str
    learning_rate: float
    decay: float
    optimizer_options: Mapping[str, float | bool]
    batch_size: int
    epochs: int
    metrics: tuple[str, ...]
    selected_on_label: bool
    expected_symptoms: str
    deepdiagnosis: str
    deeplocalize: str
    umlaut: str
    autotrainer: str
    seed: int
    time_limit: float

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


@dataclass(frozen=True, slots=True)
class Program:
    """What is known of a real-world program beside its row.

    Args:
        fault: What is wrong with it.
        fault_types: In which parts of it: "activation", "loss", "lr", "preprocess" and others.
        fix: What was published as its fix, by part.
        questionable: Whether the published fix mends no real fault.
        published: What each tool got right, see `Row.deepdiagnosis`; `None` where nothing is published.
        fixed: Fields of the row that the fixed program has otherwise; `None` where the fix could not be made out.
        is_partly_fixed: Whether a part of the fix could not be made out, so that the fixed program may still be faulty.
    """

    fault: str
    fault_types: tuple[str, ...]
    fix: Mapping[str, Any]
    questionable: bool
    published: Mapping[str, tuple[str, ...] | None]
    fixed: Mapping[str, Any] | None
    is_partly_fixed: bool = False


_ROWS = TypeAdapter(tuple[Row, ...])
_PROGRAMS = TypeAdapter(dict[str, Program])


def read_manifest(path: Path = MANIFEST) -> tuple[Row, ...]:
    """Return all rows.

    Args:
        path: The CSV file. Defaults to that of the benchmark.

    Raises:
        ValueError: When a value is missing or of the wrong kind; the message names row and column.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return _ROWS.validate_python([_parsed(line) for line in csv.DictReader(file)])


def _parsed(line: Mapping[str, str]) -> Mapping[str, Any]:
    lists = {name: tuple(part for part in line[name].split("; ") if part) for name in ("prepared", "metrics")}
    options = json.loads(line[OPTIONS] or "{}")
    return {**line, **lists, OPTIONS: options, "selected_on_label": bool(line["selected_on_label"])}


def fixed(row: Row) -> Row | None:
    """Return the fixed program of a row, called "... fixed"; `None` without one, or where its fix is not known.

    Args:
        row: The row of a program.
    """
    known = programs().get(row.id)
    if known is None or known.fixed is None:
        return None
    return replace(row, **known.fixed, id=f"{row.id} fixed", group="normal")


@cache
def programs(path: Path = PROGRAMS) -> Mapping[str, Program]:
    """Return what is known of the real-world programs, by id.

    Args:
        path: The JSON file. Defaults to that of the benchmark.
    """
    return _PROGRAMS.validate_json(path.read_bytes())


@cache
def architectures(path: Path = ARCHITECTURES) -> Mapping[str, Any]:
    """Return all architectures: the shape of a row under "input", and pairs of class and arguments under "layers".

    Args:
        path: The JSON file. Defaults to that of the benchmark.
    """
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
