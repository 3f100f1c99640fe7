"""DD416 sorted-labels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar

from deepdebug.detectors.static import CROSS_ENTROPIES, examined_data, has_other_task, labelled_outputs, static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, FitFacts, LabelFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

Counts = list[tuple[int, int]]


@dataclass(frozen=True)
class SortedLabels:
    """Find rows in the order of their labels, and validation data with other classes than the training data.

    What it does:
        Compares the classes of training and validation data, and measures how far the training rows stand in the order
        of their class where that matters: with `validation_split`, which takes the last rows, and with `shuffle=False`.
        All rows must be known: the first rows of a pipeline tell neither the order nor the shares of the others.

    Why it matters:
        A class that is missing in the training data cannot be learned, one that is missing in the validation data is
        not measured. Without shuffling, sorted rows give batches of one class, and each batch undoes what the last one
        taught.

    How to fix:
        Shuffle the rows before `fit`, or split with `sklearn.model_selection.train_test_split(..., stratify=y)`.

    Args:
        max_sorted: Largest accepted share of rows in the order of their class. Defaults to `0.9`, our first setting,
            not yet calibrated.
        max_distance: Largest accepted total variation distance of the class shares. Defaults to `0.3`, our first
            setting, not yet calibrated.
        min_rows: Fewest rows, on both sides, for the distance to count. Defaults to `200`, our first setting, not yet
            calibrated.
        min_sorted_rows: Fewest rows for the order to count. Defaults to `50`, our first setting, not yet calibrated.
        max_chance: Chance with which a random split may leave a class out before it is reported. Defaults to `0.001`,
            our first setting, not yet calibrated.

    Example:

    >>> SortedLabels(max_distance=0.5).code
    'DD416'
    """

    code: ClassVar[str] = "DD416"
    symptom: ClassVar[str] = "sorted-labels"
    abbreviation: ClassVar[str] = "SPL"
    max_sorted: float = 0.9
    max_distance: float = 0.3
    min_rows: int = 200
    min_sorted_rows: int = 50
    max_chance: float = 0.001

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output: a missing class, or else a sorted order, or else shifted shares."""
        data = examined_data(run.facts)
        if has_other_task(run.facts):
            return
        if not data.complete:
            raise NotJudged("needs all training rows, as arrays; the first rows of a pipeline do not tell the order")
        outputs = [output for output in run.facts.outputs if output.loss.kind in CROSS_ENTROPIES]
        pairs = [pair for pair in labelled_outputs(run.facts, outputs) if pair[1].class_counts] if outputs else []
        if not pairs:
            raise NotJudged("needs a cross-entropy, and one class per row as label")
        for output, labels in pairs:
            counts = _paired_counts(run.facts.fit, data, labels, output)
            found = self._missing(output, counts) or self._sorted(output, labels, run.facts.fit)
            found = found or self._shifted(output, counts)
            if found is not None:
                yield found

    def _missing(self, output: OutputFacts, counts: Counts) -> Finding | None:
        if not counts:
            return None
        training, validation = _totals(counts)
        share = training / (training + validation)
        missing = [
            (share**one if other == 0 else (1 - share) ** other, "validation" if other == 0 else "training", index)
            for index, (one, other) in enumerate(counts)
            if (one == 0) != (other == 0)
        ]
        chance, where, index = min(missing, default=(1.0, "", 0))
        chance *= len(counts)  # any of the classes may be the one that is left out
        if chance > self.max_chance:
            return None
        rows = sum(counts[index])
        text = f"class {index} of output '{output.name}' is missing in the {where} data, with {rows} rows in the other"
        return self._finding(
            "error",
            output,
            text,
            value=chance,
            threshold=self.max_chance,
            evidence={"class": index, "classes_missing": len(missing)},
        )

    def _sorted(self, output: OutputFacts, labels: LabelFacts, fit: FitFacts) -> Finding | None:
        share = labels.sorted_fraction or 0.0
        if share <= self.max_sorted or labels.rows < self.min_sorted_rows:
            return None
        if fit.shuffle is not False and fit.validation != "split":
            return None
        why = "`shuffle=False`" if fit.shuffle is False else "`validation_split`, which takes the last rows"
        text = f"{share:.0%} of the rows stand in the order of the labels of output '{output.name}', with {why}"
        return self._finding(
            "warn", output, text, value=share, threshold=self.max_sorted, evidence={"rows": labels.rows}
        )

    def _shifted(self, output: OutputFacts, counts: Counts) -> Finding | None:
        if not counts or min(_totals(counts)) < self.min_rows:
            return None
        distance, by_chance = _distance(counts)
        if distance <= max(self.max_distance, 2 * by_chance):
            return None
        text = f"training and validation data differ by {distance:.0%} in the class shares of output '{output.name}'"
        return self._finding(
            "warn", output, text, value=distance, threshold=self.max_distance, evidence={"by_chance": by_chance}
        )

    def _finding(
        self,
        severity: Severity,
        output: OutputFacts,
        text: str,
        *,
        value: float,
        threshold: float,
        evidence: dict[str, float | int],
    ) -> Finding:
        return static_finding(
            self,
            severity,
            text,
            subject=output.name,
            location="DATA",
            confidence="strong",
            value=value,
            threshold=threshold,
            healthy="shuffled rows, and the same classes with about the same shares on both sides",
            evidence=evidence,
        )


def _paired_counts(fit: FitFacts, data: DataFacts, labels: LabelFacts, output: OutputFacts) -> Counts:
    """Return, per class, the rows in the training and in the validation data; `[]` where one side is not all known."""
    others = [one for one in data.validation_labels if one.name in (labels.name, output.name) and one.class_counts]
    if fit.validation_rows is None or not others:
        return []
    return list(zip_longest(labels.class_counts, others[0].class_counts, fillvalue=0))


def _totals(counts: Counts) -> tuple[int, int]:
    return sum(one for one, _ in counts), sum(other for _, other in counts)


def _distance(counts: Counts) -> tuple[float, float]:
    """Return the total variation distance of the shares, and the one that a random split gives on average."""
    training, validation = _totals(counts)
    distance = sum(abs(one / training - other / validation) for one, other in counts) / 2
    pooled = [(one + other) / (training + validation) for one, other in counts]
    variances = [share * (1 - share) * (1 / training + 1 / validation) for share in pooled]
    return distance, sum(math.sqrt(2 / math.pi * variance) for variance in variances) / 2
