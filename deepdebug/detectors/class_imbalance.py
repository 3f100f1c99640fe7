"""DD413 class-imbalance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates
from deepdebug.detectors.findings import finding
from deepdebug.detectors.static import has_other_task, labels_of
from deepdebug.errors import NotJudged
from deepdebug.facts import OutputFacts
from deepdebug.observation import OutputObservation, Run
from deepdebug.records import Finding

CHECKS = 3


@dataclass(frozen=True)
class ClassImbalance:
    """Find rare classes that the model does not learn.

    What it does:
        Where the largest class has many times the rows of the smallest, looks at the share of rows found per class
        (recall), in three successive checks. Where the probe holds too few rows of a class to tell, it asks for more
        rows at the last planned epoch, and judges by these.

    Why it matters:
        The loss is a mean over rows, so a model can score well without ever naming the rare class. Imbalance alone is
        no fault: a model that finds its rare classes is not reported.

    How to fix:
        Weight the classes (`model.fit(..., class_weight={0: 1.0, 1: 20.0})`) or sample rare ones more often, and watch
        the recall of each class.

    Args:
        max_ratio: Ratio of the largest to the smallest class from which classes count as imbalanced. Defaults to
            `10.0`, as in SageMaker Debugger's ClassImbalance.
        min_recall: Recall below which a class counts as not learned. Defaults to `0.3`, which is the class error of 0.7
            in SageMaker Debugger's ClassImbalance.
        min_rows: Fewest probe rows of a class for its recall to count. Defaults to `20`, our first setting, not yet
            calibrated.
        min_balance: Accepted ratio of the mean recall over classes to the accuracy. Defaults to `0.7`, our first
            setting, not yet calibrated.
        min_gain: Rise of the recall over the three checks from which the class counts as being learned. Defaults to
            `0.05`, our first setting, not yet calibrated.

    Example:

    >>> ClassImbalance(max_ratio=20.0).code
    'DD413'
    """

    code: ClassVar[str] = "DD413"
    symptom: ClassVar[str] = "class-imbalance"
    abbreviation: ClassVar[str] = "IMB"
    max_ratio: float = 10.0
    min_recall: float = 0.3
    min_rows: int = 20
    min_balance: float = 0.7
    min_gain: float = 0.05

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output with a rare class that the newest three checks all miss."""
        checks = gates.warm_probes(run)[-CHECKS:]
        if len(checks) < CHECKS:
            raise NotJudged("needs three checks after the warm-up")
        judged = False
        for index, output in enumerate(run.facts.outputs):
            seen = [check.outputs[index] for check in checks if index < len(check.outputs)]
            if len(seen) == CHECKS and all(one.recalls for one in seen):
                judged = True
                yield from self._judge(run, output, seen)
        if not judged and not has_other_task(run.facts):
            raise NotJudged("needs labels that are classes")

    def _judge(self, run: Run, output: OutputFacts, seen: Sequence[OutputObservation]) -> Iterator[Finding]:
        labels = labels_of(run.facts, output)
        counts = (labels.class_counts if labels is not None else ()) or seen[-1].class_counts
        present = [count for count in counts if count]
        ratio = max(present) / min(present) if present else 0.0
        if ratio <= self.max_ratio:
            return
        missed = self._missed(seen[-1])
        for one in seen[:-1]:
            missed &= self._missed(one) | (self._hardly_seen(one) if _is_last(run) else set())
        missed = {index for index in missed if run.finished or not self._is_rising(seen, index)}
        unclear = {index for index in self._hardly_seen(seen[-1]) if index < len(counts) and counts[index]}
        if missed:
            yield self._finding(run, output, seen[-1], ratio, missed)
        elif unclear and _is_last(run) and _has_more_rows(run):
            yield self._finding(run, output, seen[-1], ratio, unclear, is_sure=False)

    def _finding(
        self, run: Run, output: OutputFacts, seen: OutputObservation, ratio: float, missed: set[int], *,
        is_sure: bool = True,
    ) -> Finding:  # fmt: skip
        now = run.latest
        worst = min(missed, key=lambda index: seen.class_counts[index])
        recall = seen.recalls[worst] or 0.0
        few = "" if is_sure else f", of which the probe holds {seen.class_counts[worst]} rows"
        return finding(
            self,
            now,
            severity="warn" if is_sure else "info",
            confidence="strong" if is_sure else "weak",
            layer=output.layer,
            location="DATA",
            value=recall,
            threshold=self.min_recall,
            message=f"Output '{output.name}' finds {recall:.1%} of class {worst}{few}; the largest class has "
            f"{ratio:.3g} times the rows of the smallest",
            healthy="a recall above 30 % for every class",
            evidence={
                "class": worst,
                "ratio": ratio,
                "accuracy": seen.accuracy,
                "classes_missed": len(missed),
            },
        )

    def _hardly_seen(self, seen: OutputObservation) -> set[int]:
        return {index for index, count in enumerate(seen.class_counts) if count < self.min_rows}

    def _missed(self, seen: OutputObservation) -> set[int]:
        recalls = [recall for recall in seen.recalls if recall is not None]
        if seen.accuracy is None or not recalls or sum(recalls) / len(recalls) >= self.min_balance * seen.accuracy:
            return set()
        rows = zip(seen.class_counts, seen.recalls, strict=True)
        return {
            index
            for index, (count, recall) in enumerate(rows)
            if count >= self.min_rows and recall is not None and recall < self.min_recall
        }

    def _is_rising(self, seen: Sequence[OutputObservation], index: int) -> bool:
        first, last = seen[0].recalls[index], seen[-1].recalls[index]
        if seen[0].class_counts[index] < self.min_rows:
            return False
        return first is not None and last is not None and last - first > self.min_gain


def _is_last(run: Run) -> bool:
    """Tell whether the newest observation was made at the end of the last planned epoch."""
    planned = run.facts.fit.epochs
    return run.finished or (planned is not None and run.latest.epoch + 1 >= planned)


def _has_more_rows(run: Run) -> bool:
    """Tell whether a second look, on more rows, can be had."""
    data = run.facts.data
    return data is not None and not run.finished and not run.latest.confirmed and run.latest.rows < data.rows
