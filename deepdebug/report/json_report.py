"""The report as versioned JSON, and the JSON schema of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from deepdebug.facts import Facts
from deepdebug.records import Diagnosis, Finding, Skipped
from deepdebug.report.report import Report
from deepdebug.strict_json import strict_json

SCHEMA: Literal[1] = 1
SCHEMA_FILE = f"schema/report-{SCHEMA}.json"


@dataclass(frozen=True, slots=True)
class Checks:
    """Which checks were made.

    Args:
        judged: Codes of the checks that were made.
        skipped: The checks and parts that were left out, with the reason.
        symptoms: Name of each check by code.
    """

    judged: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    symptoms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EpochMetrics:
    """What Keras reported at the end of one epoch.

    Args:
        epoch: Epoch, counted from 0.
        step: Optimizer updates done.
        learning_rate: Learning rate in force.
        metrics: Losses and metrics.
    """

    epoch: int
    step: int
    learning_rate: float | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Document:
    """A deepdebug report.

    Args:
        schema: Version of this format; raised when a reader would have to change.
        version: Version of deepdebug that judged.
        verdict: The result in one sentence.
        exit_code: 0 no finding beyond advice, 1 findings, 3 nothing could be judged.
        preset: Name of the preset in use.
        finished: Whether training reached its end.
        seconds: Seconds that deepdebug spent, where known.
        diagnoses: The likely causes, the likeliest first.
        findings: The symptoms, the most severe first.
        checks: Which checks were made.
        epochs: Metrics by epoch.
        facts: The model, the arguments of compile and fit, and the data.
    """

    schema: Literal[1]
    version: str
    verdict: str
    exit_code: int
    preset: str
    finished: bool
    seconds: float | None
    diagnoses: tuple[Diagnosis, ...]
    findings: tuple[Finding, ...]
    checks: Checks
    epochs: tuple[EpochMetrics, ...]
    facts: Facts


def render(report: Report) -> str:
    """Return the report as indented strict JSON; NaN and the infinities are strings."""
    return strict_json(_document(report), indent=2).decode() + "\n"


def _document(report: Report) -> Document:
    epochs = (EpochMetrics(one.epoch, one.step, one.learning_rate, one.metrics) for one in report.run.epochs)
    return Document(
        schema=SCHEMA,
        version=report.version,
        verdict=report.verdict,
        exit_code=report.exit_code,
        preset=report.preset,
        finished=report.finished,
        seconds=report.seconds,
        diagnoses=report.diagnoses,
        findings=report.findings,
        checks=Checks(report.judged, report.skipped, report.symptoms),
        epochs=tuple(epochs),
        facts=report.run.facts,
    )


def published_schema() -> str:
    """Return the JSON schema that ships with the package."""
    return files("deepdebug.report").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")


def generate_schema() -> str:
    """Return the JSON schema, generated from the records."""
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class WithNonFinite(GenerateJsonSchema):
        def float_schema(self, schema: Any) -> dict[str, Any]:
            plain = super().float_schema(schema)
            return {"anyOf": [plain, {"enum": ["NaN", "Infinity", "-Infinity"]}]}

    content = TypeAdapter(Document).json_schema(mode="serialization", schema_generator=WithNonFinite)
    return json.dumps({"$schema": WithNonFinite.schema_dialect, **content}, indent=2) + "\n"
