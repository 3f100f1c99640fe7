"""DD302 invalid-accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.findings import finding
from deepdebug.detectors.metric_names import is_accuracy
from deepdebug.detectors.static import labels_of
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts, LabelFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

REGRESSION_LOSSES = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh", "poisson",
)  # fmt: skip
ROUNDING = 1e-6


@dataclass(frozen=True)
class InvalidAccuracy:
    """Find accuracies that are no share, and accuracies asked of a regression.

    What it does:
        Looks at every accuracy in the newest logs: it must lie between 0 and 1, and the labels it compares must be
        classes when the loss is one for regression. An accuracy of 0 is accepted.

    Why it matters:
        An accuracy counts predictions that equal their label exactly. For measured quantities that is about 0 whatever
        the model learns, so the number misleads.

    How to fix:
        Ask for `metrics=["mae"]` in a regression; look for missing values when the accuracy is not a number.

    Args:
        max_classes: Largest number of distinct whole-number labels that may still be classes. Defaults to `20`, our
            first setting, not yet calibrated.

    Example:

    >>> InvalidAccuracy().code
    'DD302'
    """

    code: ClassVar[str] = "DD302"
    symptom: ClassVar[str] = "invalid-accuracy"
    abbreviation: ClassVar[str] = "IAS"
    max_classes: int = 20

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when an accuracy in the newest logs is invalid or means nothing."""
        accuracies = {name: value for name, value in run.latest.metrics.items() if is_accuracy(name)}
        if not accuracies:
            raise NotJudged("the newest logs hold no accuracy; for a classifier compile with `metrics=['accuracy']`")
        wrong = [name for name, value in accuracies.items() if not -ROUNDING <= value <= 1 + ROUNDING]
        if wrong:
            yield self._not_a_share(run, accuracies, wrong[0])
            return
        for output in run.facts.outputs:
            name = _accuracy_of(output, run.facts, accuracies)
            if name and output.loss.kind in REGRESSION_LOSSES and self._measures(labels_of(run.facts, output)):
                yield self._of_regression(run, output, name, accuracies[name])

    def _measures(self, labels: LabelFacts | None) -> bool:
        """Tell whether labels are known to be measured quantities and not classes."""
        if labels is None or labels.one_hot or labels.rows_sum_to_one or labels.non_finite == labels.rows:
            return False
        return not labels.integer or (labels.distinct or 0) > self.max_classes

    def _not_a_share(self, run: Run, accuracies: Mapping[str, float], name: str) -> Finding:
        value = accuracies[name]
        return finding(
            self,
            run.latest,
            "warn",
            f"the metric '{name}' is {value if not math.isfinite(value) else format(value, '.3g')}, which is no share",
            location="M",
            healthy="between 0 and 1",
            value=value,
            threshold=1.0,
            evidence={},
            confidence="certain",
        )

    def _of_regression(self, run: Run, output: OutputFacts, name: str, value: float) -> Finding:
        return finding(
            self,
            run.latest,
            "warn",
            f"the metric '{name}' counts exact hits, but the labels of output '{output.name}' are no classes and its "
            f"loss is {output.loss.kind}; it reads {value:.3g} and says nothing",
            location="M",
            healthy="no accuracy among the metrics of a regression",
            value=value,
            threshold=None,
            evidence={},
            layer=output.layer,
            confidence="certain",
        )


def _accuracy_of(output: OutputFacts, facts: Facts, accuracies: Mapping[str, float]) -> str | None:
    names = accuracies if len(facts.outputs) == 1 else [one for one in accuracies if one.startswith(f"{output.name}_")]
    return next(iter(names), None)
