"""DD421 batch-size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts
from deepdebug.observation import Run
from deepdebug.records import Finding


@dataclass(frozen=True)
class BatchSize:
    """Mention a batch size that leaves few updates, or too few rows for batch normalisation.

    What it does:
        Looks at the updates per epoch, at the share of the rows in one batch, and at batches of 2 or 3 rows where the
        model has batch normalisation.

    Why it matters:
        A model learns in updates, not in epochs: with few updates per epoch it needs many epochs. The mean and variance
        of 2 or 3 rows are mostly noise.

    How to fix:
        Lower the batch size, `model.fit(..., batch_size=32)`, or train for more epochs; raise it where the model has
        batch normalisation.

    Args:
        min_updates: Fewest updates per epoch that are not mentioned. Defaults to `5`, our first setting, not yet
            calibrated.
        max_share: Largest share of the rows in one batch that is not mentioned. Defaults to `0.5`, our first setting,
            not yet calibrated.
        enough_updates: Planned updates of the whole run from which few updates per epoch are not mentioned. Defaults to
            `1000`, our first setting, not yet calibrated.
        min_normalised: Fewest rows per batch in a model with batch normalisation. Defaults to `4`, our first setting,
            not yet calibrated.

    Example:

    >>> BatchSize(min_updates=10).code
    'DD421'
    """

    code: ClassVar[str] = "DD421"
    symptom: ClassVar[str] = "batch-size"
    abbreviation: ClassVar[str] = "BS"
    min_updates: int = 5
    max_share: float = 0.5
    enough_updates: int = 1000
    min_normalised: int = 4

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield at most one finding."""
        fit = run.facts.fit
        if fit.batch_size is None:
            raise NotJudged("needs the batch size, which this data source does not tell")
        if 1 < fit.batch_size < self.min_normalised and _has_trained_normalization(run.facts):
            text = f"batches of {fit.batch_size} rows give batch normalisation a noisy mean and variance"
            yield self._finding(text, fit.batch_size, self.min_normalised)
        elif fit.steps_per_epoch is not None and (fit.epochs or 1) * fit.steps_per_epoch < self.enough_updates:
            if fit.rows is not None and fit.batch_size > self.max_share * fit.rows:
                text = f"a batch of {fit.batch_size} holds over {self.max_share:.0%} of the {fit.rows} training rows"
                yield self._finding(text, fit.batch_size, self.max_share * fit.rows)
            elif fit.steps_per_epoch < self.min_updates:
                text = f"batches of {fit.batch_size} rows give {fit.steps_per_epoch} updates per epoch"
                yield self._finding(text, fit.steps_per_epoch, self.min_updates)

    def _finding(self, text: str, value: float, threshold: float) -> Finding:
        return static_finding(
            self,
            "info",
            text,
            confidence="strong",
            value=float(value),
            threshold=float(threshold),
            healthy="5 updates per epoch or more, and batches of 16 rows or more with batch normalisation",
        )


def _has_trained_normalization(facts: Facts) -> bool:
    return any(layer.kind == "BatchNormalization" and layer.trainable for layer in facts.layers)
