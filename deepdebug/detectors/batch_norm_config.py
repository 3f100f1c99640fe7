"""DD423 batch-norm-config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import config_number, static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import FitFacts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Confidence, Finding, Severity


@dataclass(frozen=True)
class BatchNormConfig:
    """Find batch normalisation over batches of one row, and directly behind dropout.

    What it does:
        Compares the batch size, and the size of the last batch, with the batch normalisation of the model, and looks
        for dropout that feeds it.

    Why it matters:
        The mean over one row is that row, so the normalised output is 0 for all inputs, and the moving variance sinks
        to 0. Where a row has positions (images, sequences), they still vary. Dropout changes the variance in training
        only, so that the moving variance is wrong in inference (Li et al., CVPR 2019).

    How to fix:
        Use a larger batch, cut the rows to a multiple of the batch size, or use `keras.layers.LayerNormalization()` or
        `keras.layers.GroupNormalization()`; move dropout behind the normalisation.

    Args:
        few_updates: Updates per epoch below which one last batch of a single row is a warning. Defaults to `10`, our
            first setting, not yet calibrated.

    Example:

    >>> BatchNormConfig().code
    'DD423'
    """

    code: ClassVar[str] = "DD423"
    symptom: ClassVar[str] = "batch-norm-config"
    abbreviation: ClassVar[str] = "BN"
    few_updates: int = 10

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding for the batch size, and one per batch normalisation behind dropout."""
        layers = run.facts.layers
        if not layers:
            raise NotJudged("the model could not be read")
        normalizing = [layer for layer in layers if layer.kind == "BatchNormalization" and layer.trainable]
        if normalizing:
            yield from self._batches(run.facts.fit, normalizing)
        dropping = {layer.name for layer in layers if layer.family == "dropout" and config_number(layer, "rate")}
        for layer in normalizing:
            for name in dropping.intersection(layer.inputs or ()):
                text = f"layer '{layer.name}' normalises the output of dropout '{name}'"
                yield self._finding("info", text, layer, "strong", "batch normalisation before dropout")

    def _batches(self, fit: FitFacts, normalizing: list[LayerFacts]) -> Iterator[Finding]:
        vector = next((layer for layer in normalizing if layer.input_shape and len(layer.input_shape) == 1), None)
        first = vector or normalizing[0]
        healthy = "16 rows per batch or more"
        if fit.batch_size == 1:
            text = f"layer '{first.name}' normalises over batches of one row"
            note = ", which makes its output 0 for every row" if vector else ""
            yield self._finding("error" if vector else "info", text + note, first, "certain", healthy)
        elif fit.source == "arrays" and fit.rows and fit.batch_size and fit.rows % fit.batch_size == 1 and vector:
            text = f"layer '{first.name}' gets one row in the last of the batches of {fit.batch_size} rows"
            is_often = fit.rows // fit.batch_size < self.few_updates
            yield self._finding("warn" if is_often else "info", text, first, "certain", healthy)

    def _finding(
        self, severity: Severity, text: str, layer: LayerFacts, confidence: Confidence, healthy: str
    ) -> Finding:
        return static_finding(self, severity, text, layer=layer.name, confidence=confidence, healthy=healthy)
