"""DD426 embedding-range."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import config_number, examined_data, static_finding
from deepdebug.facts import DataFacts, InputFacts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

MIN_VOCABULARY = 10


@dataclass(frozen=True)
class EmbeddingRange:
    """Find ids that an embedding has no row for.

    What it does:
        Compares the smallest and largest id of every input that an Embedding layer receives as it is with the number of
        rows of its table. Mentions tables of which most rows are used by no training row, and inputs that are mostly 0.

    Why it matters:
        Depending on device and compilation such an id raises an error, gives zeros or reads another row: training may
        run on with wrong vectors and without a word.

    How to fix:
        Set `input_dim` to the largest id + 1, or map rare words to one common id.

    Args:
        min_used: Share of the rows of the table that the ids use below which the rest is mentioned. Defaults to `0.1`,
            our first setting, not yet calibrated.

    Example:

    >>> EmbeddingRange(min_used=0.5).code
    'DD426'
    """

    code: ClassVar[str] = "DD426"
    symptom: ClassVar[str] = "embedding-range"
    abbreviation: ClassVar[str] = "EMB"
    min_used: float = 0.1

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield at most one finding per embedding."""
        embeddings = [layer for layer in run.facts.layers if layer.kind == "Embedding"]
        data = examined_data(run.facts) if embeddings else None
        for layer in embeddings:
            rows, ids = config_number(layer, "input_dim"), _ids(data, layer)
            if data is not None and rows is not None and ids is not None:
                yield from self._judge(layer, ids, int(rows), data.complete)

    def _judge(self, layer: LayerFacts, ids: InputFacts, rows: int, is_complete: bool) -> Iterator[Finding]:
        low, high = ids.minimum or 0.0, ids.maximum or 0.0
        table = f"the table of embedding '{layer.name}' has {rows} rows"
        if low < 0 or high >= rows:
            text = f"input '{ids.name}' has ids from {low:.0f} to {high:.0f}, but {table}"
            yield self._finding("fatal", text, layer, low if low < 0 else high, float(rows))
        elif not ids.integer:
            text = f"input '{ids.name}' has ids that are not whole numbers, which embedding '{layer.name}' cuts off"
            yield self._finding("error", text, layer, None, None)
        elif is_complete and rows > MIN_VOCABULARY and _used(ids) < self.min_used * rows:
            text = f"{table}, of which the ids of the training data use {_used(ids)} ({_used(ids) / rows:.1%})"
            yield self._finding("info", text, layer, float(_used(ids)), rows * self.min_used)
        elif _is_mostly_padding(ids) and rows > MIN_VOCABULARY and layer.config.get("mask_zero") is not True:
            text = f"at least half of the ids that embedding '{layer.name}' receives are 0, which is not masked"
            yield self._finding("info", text, layer, None, None)

    def _finding(
        self, severity: Severity, text: str, layer: LayerFacts, value: float | None, threshold: float | None
    ) -> Finding:
        return static_finding(
            self,
            severity,
            text,
            layer=layer.name,
            location="DATA",
            value=value,
            threshold=threshold,
            healthy="ids from 0 to input_dim - 1",
            evidence={"input_dim": layer.config.get("input_dim")},
        )


def _ids(data: DataFacts | None, layer: LayerFacts) -> InputFacts | None:
    """Return the input that the layer receives as it is."""
    inputs = data.inputs if data is not None else ()
    for one in inputs:
        is_fed = f"input:{one.name}" in (layer.inputs or ()) or (layer.inputs == ("input",) and len(inputs) == 1)
        if is_fed and one.minimum is not None and one.maximum is not None:
            return one
    return None


def _used(ids: InputFacts) -> int:
    """Return how many rows of the table the ids use; at most so many where they were not counted."""
    return int(ids.maximum or 0.0) + 1 if ids.distinct is None else ids.distinct


def _is_mostly_padding(ids: InputFacts) -> bool:
    return ids.median_absolute == 0 and math.prod(ids.shape) > 1
